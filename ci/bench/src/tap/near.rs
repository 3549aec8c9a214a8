//! The near end: ours on a tap, or the peer's at the other end of the veth pair.

use std::net::{IpAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Way, peer};
use crate::folders;
use crate::lab::{Lab, PEER, Side, Tap};

/// How long a near end may take to open its ports.
const LONGEST: Duration = Duration::from_secs(10);

/// A near end that runs; dropping it ends it.
pub(super) struct Near {
    name: &'static str,
    address: IpAddr,
    child: Child,
}

impl Near {
    /// Ours: an ordinary image as a process on a tap.
    pub(super) fn ours(lab: &Lab, tap: &Tap, offloads: bool) -> Result<Self, String> {
        let plain = if offloads { "" } else { ",plain" };
        let mut echo = lab.command(Side::Client, folders::program("echo"));
        echo.arg(format!("--net=tap:{}{plain}", tap.name)).arg(format!("--ipv4={}/24", tap.guest));
        Self::start("ours", &tap.guest, &mut echo, lab)
    }

    /// The peer: this very program, in its namespace.
    pub(super) fn peer(lab: &Lab) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        Self::start("Linux", PEER, lab.command(Side::Peer, program).arg("tap-peer"), lab)
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) const fn address(&self) -> IpAddr {
        self.address
    }

    /// Where the near end does its part of `way`.
    pub(super) const fn port(&self, way: Way) -> u16 {
        match way {
            Way::Send => peer::CHARGEN,
            Way::Receive => peer::DISCARD,
        }
    }

    /// Starts it and waits until its ports are open.
    fn start(name: &'static str, address: &str, command: &mut Command, lab: &Lab) -> Result<Self, String> {
        let address = address.parse().map_err(|_| format!("{address}: no address"))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let near = Self { name, address, child: child.map_err(|error| format!("{name} did not start: {error}"))? };
        let open = std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                lab.enter(Side::Client)?;
                let deadline = Instant::now() + LONGEST;
                while Instant::now() < deadline {
                    if [Way::Send, Way::Receive].iter().all(|&way| near.is_open(near.port(way))) {
                        return Ok(());
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(format!("{name} does not answer at {address}"))
            });
            asking.join().unwrap_or_else(|_| Err("asking panicked".to_owned()))
        });
        open.map(|()| near)
    }

    fn is_open(&self, port: u16) -> bool {
        TcpStream::connect_timeout(&(self.address, port).into(), Duration::from_millis(200)).is_ok()
    }
}

impl Drop for Near {
    fn drop(&mut self) {
        // It holds nothing that must be given back in order.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
