//! A network namespace with a tap, removed with everything in it when dropped.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::command;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The host's end of the tap.
pub(crate) const HOST: &str = "10.0.0.1/24";
/// The tap's name.
pub(crate) const TAP: &str = "tap0";

pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// A namespace with loopback and `tap0` up, the host's end at 10.0.0.1/24.
    pub(crate) fn new() -> Result<Self, String> {
        let name = format!("mirage-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        command::output(Command::new("ip").args(["netns", "add", &name]))?;
        let namespace = Self { name };
        for line in [
            "link set lo up",
            &format!("tuntap add dev {TAP} mode tap vnet_hdr"),
            &format!("address add {HOST} dev {TAP}"),
            &format!("link set {TAP} up"),
        ] {
            let arguments = ["-n", &namespace.name].into_iter().chain(line.split(' '));
            command::output(Command::new("ip").args(arguments))?;
        }
        Ok(namespace)
    }

    /// Moves the calling thread, and what it starts, into the namespace.
    pub(crate) fn enter(&self) -> Result<(), String> {
        let path = format!("/run/netns/{}", self.name);
        let file = File::open(&path).map_err(|error| format!("{path}: {error}"))?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .map_err(|error| format!("entering {path}: {error}"))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(reason) = command::output(Command::new("ip").args(["netns", "delete", &self.name])) {
            eprintln!("{reason}");
        }
    }
}
