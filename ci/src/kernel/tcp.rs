//! Connections between the kernel's TCP and ours.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use super::client::{connect, exchange, noise, read_all, same, sha256};
use super::image::Image;
use super::namespace::TAP;
use super::{GUEST, Images};
use crate::command;

/// 200 MB there and the same 200 MB back, at the same time.
pub(crate) fn bulk(images: &Images) -> Result<(), String> {
    let _echo = Image::on_tap(&images.echo, 7, &[])?;
    let data = noise(200_000_000);
    let (hash, len) = exchange(connect(7)?, &data)?;
    same("the length", len, data.len())?;
    same("the hash", hash, sha256(&data))
}

/// The echo comes back after our direction has ended.
pub(crate) fn half_close(images: &Images) -> Result<(), String> {
    let _echo = Image::on_tap(&images.echo, 7, &[])?;
    let mut stream = connect(7)?;
    let data = noise(100_000);
    stream.write_all(&data[..10]).map_err(|error| error.to_string())?;
    std::thread::sleep(Duration::from_millis(100));
    stream.write_all(&data[10..]).and_then(|()| stream.shutdown(Shutdown::Write)).map_err(|error| error.to_string())?;
    let mut back = Vec::new();
    stream.read_to_end(&mut back).map_err(|error| format!("reading: {error}"))?;
    same("what came back", back == data, true)
}

pub(crate) fn refused(images: &Images) -> Result<(), String> {
    let _echo = Image::on_tap(&images.echo, 7, &[])?;
    match TcpStream::connect((GUEST, 4444)) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        other => Err(format!("expected a refusal, got {other:?}")),
    }
}

/// The echo server probes after 1 s, every 1 s, 3 times: 4 s after the cable is cut the reader has its end. The server
/// counts its connections in what it logs; here the kernel's side is asked: after the cable is back, the connection that
/// was given up answers with a reset.
pub(crate) fn keepalive(images: &Images) -> Result<(), String> {
    let _echo = Image::on_tap(&images.echo, 7, &["--keepalive=1,1,3"])?;
    let mut given_up = connect(7)?;
    let mut kept = connect(7)?;
    for stream in [&mut given_up, &mut kept] {
        stream.write_all(b"x").and_then(|()| stream.read_exact(&mut [0])).map_err(|error| error.to_string())?;
    }
    // Probes go out and are answered for as long as the cable is in.
    std::thread::sleep(Duration::from_secs(5));
    for stream in [&mut given_up, &mut kept] {
        stream
            .write_all(b"y")
            .and_then(|()| stream.read_exact(&mut [0]))
            .map_err(|error| format!("an answered connection was ended: {error}"))?;
    }
    cut_for(Duration::from_millis(2500))?;
    kept.write_all(b"z")
        .and_then(|()| kept.read_exact(&mut [0]))
        .map_err(|error| format!("a connection was ended before its time: {error}"))?;
    drop(kept);
    std::thread::sleep(Duration::from_millis(200));
    cut_for(Duration::from_millis(4500))?;
    match given_up.write_all(b"z").and_then(|()| given_up.read_exact(&mut [0])) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(()),
        other => Err(format!("the connection should have been given up, got {other:?}")),
    }
}

/// Takes the host's end of the cable down for a while.
fn cut_for(time: Duration) -> Result<(), String> {
    command::output(Command::new("ip").args(["link", "set", TAP, "down"]))?;
    std::thread::sleep(time);
    command::output(Command::new("ip").args(["link", "set", TAP, "up"])).map(drop)
}

/// All open at once, each echoes its own bytes.
pub(crate) fn thousand(images: &Images) -> Result<(), String> {
    let _echo = Image::on_tap(&images.echo, 7, &[])?;
    let mut streams = (0..1000).map(|_| connect(7)).collect::<Result<Vec<_>, _>>()?;
    for (number, stream) in (0_u32..).zip(&mut streams) {
        stream.write_all(&number.to_be_bytes()).map_err(|error| format!("connection {number}: {error}"))?;
    }
    for (number, stream) in (0_u32..).zip(&mut streams) {
        let mut back = [0; 4];
        stream.read_exact(&mut back).map_err(|error| format!("connection {number}: {error}"))?;
        same("the echo", back, number.to_be_bytes())?;
    }
    Ok(())
}

/// The reader stops for so long that the window closes and is probed, then takes everything.
pub(crate) fn zero_window(images: &Images) -> Result<(), String> {
    let _web = Image::on_tap(&images.web, 80, &[])?;
    let mut stream = connect(80)?;
    stream
        .write_all(b"GET /bytes/50000000 HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n")
        .map_err(|error| error.to_string())?;
    std::thread::sleep(Duration::from_secs(4));
    let started = Instant::now();
    let len = read_all(&mut stream, |_| {}).map_err(|error| format!("reading: {error}"))?;
    if len < 50_000_000 {
        return Err(format!("only {len} bytes came"));
    }
    same("it goes on at once", started.elapsed() < Duration::from_secs(20), true)
}
