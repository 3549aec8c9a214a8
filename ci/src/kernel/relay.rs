//! Linux's TCP and ours over bad links: a relay in user space loses, doubles, delays and reorders.
//!
//! ```text
//! our image ── tap0 ═ bridge ═ near ── relay ── far, 10.0.0.1 ── the kernel
//! ```
//!
//! The bridge cuts large segments and completes checksums on their way to `near`, so that the relay sees what a cable would.

use std::process::{Child, Command, Stdio};

use super::Images;
use super::client::{connect, exchange, noise, same, sha256};
use super::image::Image;
use super::namespace::{HOST, TAP};
use crate::command;

/// Frames are lost.
pub(crate) fn loss(images: &Images) -> Result<(), String> {
    over(images, &["loss", "10"], 8_000_000)?;
    over(images, &["loss", "50"], 2_000_000)
}

/// Frames come twice.
pub(crate) fn duplication(images: &Images) -> Result<(), String> {
    over(images, &["double", "50"], 20_000_000)
}

/// Frames are overtaken by others.
pub(crate) fn reordering(images: &Images) -> Result<(), String> {
    over(images, &["reorder", "50"], 10_000_000)
}

/// All at once, far away.
pub(crate) fn everything(images: &Images) -> Result<(), String> {
    over(images, &["loss", "20", "double", "20", "reorder", "20", "delay", "5"], 4_000_000)
}

/// `len` bytes there and back at the same time, over a link with these faults.
fn over(images: &Images, faults: &[&str], len: usize) -> Result<(), String> {
    let _relay = Relay::start(images, faults)?;
    let _echo = Image::on_tap(&images.echo, 7, &[])?;
    let data = noise(len);
    let (hash, back) = exchange(connect(7)?, &data).map_err(|reason| format!("{}: {reason}", faults.join(" ")))?;
    same("the length", back, len)?;
    same("the hash", hash, sha256(&data))
}

/// The relay and the interfaces around it, taken away when dropped.
struct Relay(Child);

impl Relay {
    fn start(images: &Images, faults: &[&str]) -> Result<Self, String> {
        for line in [
            &format!("address delete {HOST} dev {TAP}"),
            "link add bridge0 type bridge",
            &format!("link set {TAP} master bridge0"),
            "tuntap add dev near mode tap",
            "link set near master bridge0",
            "tuntap add dev far mode tap",
            &format!("address add {HOST} dev far"),
            "link set near up",
            "link set far up",
            "link set bridge0 up",
        ] {
            ip(line)?;
        }
        let mut command = Command::new(&images.relay);
        command.args(["near", "far", "delay", "2"]).args(faults).stdin(Stdio::null()).stdout(Stdio::null());
        command.spawn().map(Self).map_err(|error| format!("{}: {error}", images.relay.display()))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
        for line in
            ["link delete far", "link delete near", "link delete bridge0", &format!("address add {HOST} dev {TAP}")]
        {
            if let Err(reason) = ip(line) {
                eprintln!("{reason}");
            }
        }
    }
}

fn ip(line: &str) -> Result<(), String> {
    command::output(Command::new("ip").args(line.split(' '))).map(drop)
}
