//! Servers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use super::Images;
use super::guest::{Guest, PATIENCE};
use crate::command;
use crate::kernel::{hash, same};

/// The hash of the first 100,000,000 bytes of the stream that `web` serves (its README defines it).
const BYTES: &str = "6914fe2f91f44ec6662d670239cac3693461ec4f732b6a65a94223f8f3099d5c";

/// The page and 100 MB.
fn serves(guest: &Guest) -> Result<(), String> {
    let url = format!("http://{}", guest.address);
    let page = command::output(Command::new("curl").args(["-sS", "--fail", "--max-time", "30", &url]))?;
    same("the page says what it is", page.contains("Mirage"), true)?;
    same("the bytes", hash(&format!("{url}/bytes/100000000"))?, (BYTES.to_owned(), 100_000_000))
}

/// Under the tender of the tool. Ctrl-C ends it.
pub(super) fn spt(images: &Images) -> Result<(), String> {
    let guest = Guest::serving(images.command("web.spt"), 80, &[])?;
    serves(&guest)?;
    guest.interrupt().map(drop)
}

/// In little memory.
pub(super) fn spt_in_8_mib(images: &Images) -> Result<(), String> {
    serves(&Guest::serving(images.command("web.spt"), 80, &["--memory=8"])?)
}

/// In less, with several connections at once.
pub(super) fn echo_in_2_mib(images: &Images) -> Result<(), String> {
    let guest = Guest::serving(images.command("echo.spt"), 7, &["--memory=2"])?;
    let connect = || {
        let stream = TcpStream::connect(guest.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    };
    let streams: std::io::Result<Vec<TcpStream>> = (0..8).map(|_| connect()).collect();
    let echo = |mut stream: &TcpStream, round: u8| -> std::io::Result<bool> {
        let sent = [round; 4_000];
        let mut came = [0; 4_000];
        stream.write_all(&sent)?;
        stream.read_exact(&mut came)?;
        Ok(sent == came)
    };
    let streams = streams.map_err(|error| error.to_string())?;
    for round in 0..20 {
        for stream in &streams {
            same("what comes back", echo(stream, round).map_err(|error| error.to_string())?, true)?;
        }
    }
    Ok(())
}

/// A machine without a PCI bus.
pub(super) fn microvm(images: &Images) -> Result<(), String> {
    machine(images, "microvm")
}

/// A machine with PCI Express.
pub(super) fn q35(images: &Images) -> Result<(), String> {
    machine(images, "q35")
}

/// A machine with PCI.
pub(super) fn pc(images: &Images) -> Result<(), String> {
    machine(images, "pc")
}

fn machine(images: &Images, machine: &str) -> Result<(), String> {
    serves(&Guest::serving(images.command("web.virtio"), 80, &["--machine", machine])?)
}

/// No start hangs, and each answers.
pub(super) fn fifty_starts(images: &Images) -> Result<(), String> {
    for start in 1..=50 {
        let answers = || {
            let guest = Guest::serving(images.command("web.virtio"), 80, &["--memory=16"])?;
            let url = format!("http://{}/stats", guest.address);
            command::output(Command::new("curl").args(["-sS", "--fail", "--max-time", "30", &url])).map(drop)
        };
        answers().map_err(|error| format!("start {start}: {error}"))?;
    }
    Ok(())
}
