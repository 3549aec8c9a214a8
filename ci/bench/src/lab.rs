//! Two network namespaces: one with the client and the taps of our servers, one with the peer, joined by a veth pair.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::process::Command;

use rustix::thread::{CpuSet, LinkNameSpaceType, move_into_link_name_space, sched_setaffinity};

/// The core that everything runs on. Where client and server have a core each, every segment wakes the other core up;
/// in a virtual machine that costs more than all the rest and differs from minute to minute.
pub(crate) const CORE: &str = "0";
/// Where the peer is.
pub(crate) const PEER: &str = "10.7.0.2";

/// The namespaces, removed with everything in them when dropped.
pub(crate) struct Lab {
    client: String,
    peer: String,
}

/// Who runs a command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Client,
    Peer,
}

impl Lab {
    pub(crate) fn new() -> Result<Self, String> {
        let id = std::process::id();
        let lab = Self { client: format!("bench-client-{id}"), peer: format!("bench-peer-{id}") };
        let (client, peer) = (&lab.client, &lab.peer);
        for line in [
            format!("netns add {client}"),
            format!("netns add {peer}"),
            format!("-n {client} link add veth0 type veth peer name veth0 netns {peer}"),
            format!("-n {client} address add 10.7.0.1/24 dev veth0"),
            format!("-n {peer} address add {PEER}/24 dev veth0"),
            format!("-n {client} link set veth0 up"),
            format!("-n {peer} link set veth0 up"),
            format!("-n {client} link set lo up"),
            format!("-n {peer} link set lo up"),
        ] {
            ip(&line)?;
        }
        Ok(lab)
    }

    /// A tap on the client's side whose network is 10.`number`.0.0/24, with the host at 1. The guest shall be at 2.
    pub(crate) fn tap(&self, number: u8) -> Result<Tap, String> {
        self.tap_with(number, " vnet_hdr")
    }

    /// The same without offloads: every frame is as on a wire.
    pub(crate) fn plain_tap(&self, number: u8) -> Result<Tap, String> {
        self.tap_with(number, "")
    }

    fn tap_with(&self, number: u8, flags: &str) -> Result<Tap, String> {
        let tap = Tap { name: format!("tap{number}"), guest: format!("10.{number}.0.2") };
        let client = &self.client;
        ip(&format!("-n {client} tuntap add dev {} mode tap{flags}", tap.name))?;
        ip(&format!("-n {client} address add 10.{number}.0.1/24 dev {}", tap.name))?;
        ip(&format!("-n {client} link set {} up", tap.name))?;
        Ok(tap)
    }

    /// Takes all offloads from an interface.
    pub(crate) fn without_offloads(&self, side: Side, interface: &str) -> Result<(), String> {
        let namespace = self.namespace(side);
        ip(&format!("netns exec {namespace} ethtool -K {interface} tso off gso off gro off tx off rx off"))
    }

    /// Has the kernel's TCP make packets for an interface one by one. `gso off` alone does not: since Linux 4.17 TCP makes
    /// large ones all the same, and cuts them in software at the interface's door.
    pub(crate) fn packet_by_packet(&self, side: Side, interface: &str) -> Result<(), String> {
        ip(&format!("-n {} link set dev {interface} gso_max_segs 1", self.namespace(side)))
    }

    /// `program` in the namespace of `side`. The process is the program itself: nothing stands above it.
    pub(crate) fn command(&self, side: Side, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.namespace(side), "taskset", "-c", CORE]).arg(program);
        command
    }
}

impl Lab {
    /// Moves the calling thread, and what it starts from now on, to `side`.
    pub(crate) fn enter(&self, side: Side) -> Result<(), String> {
        let path = format!("/run/netns/{}", self.namespace(side));
        let file = File::open(&path).map_err(|error| format!("{path}: {error}"))?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .map_err(|error| format!("entering {path}: {error}"))
    }

    /// Puts the calling thread on the core that everything runs on.
    pub(crate) fn pin() -> Result<(), String> {
        let mut cores = CpuSet::new();
        cores.set(CORE.parse().map_err(|_| "a core is a number".to_owned())?);
        sched_setaffinity(None, &cores).map_err(|error| format!("moving to core {CORE}: {error}"))
    }

    fn namespace(&self, side: Side) -> &str {
        match side {
            Side::Client => &self.client,
            Side::Peer => &self.peer,
        }
    }
}

/// A tap that was made.
pub(crate) struct Tap {
    pub(crate) name: String,
    /// The address for who is behind it.
    pub(crate) guest: String,
}

impl Drop for Lab {
    fn drop(&mut self) {
        for namespace in [&self.client, &self.peer] {
            if let Err(reason) = ip(&format!("netns delete {namespace}")) {
                eprintln!("{reason}");
            }
        }
    }
}

fn ip(line: &str) -> Result<(), String> {
    let output = Command::new("ip")
        .args(line.split(' '))
        .output()
        .map_err(|error| format!("ip did not start ({error}); type: apt-get install -y iproute2"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`ip {line}` failed (this needs root): {}", String::from_utf8_lossy(&output.stderr).trim()))
}
