//! Datagrams between the kernel's sockets and ours.

use std::io::ErrorKind;
use std::net::UdpSocket;

use super::client::{PATIENCE, noise, same};
use super::image::Image;
use super::{GUEST, Images};

fn socket(port: u16) -> Result<UdpSocket, String> {
    let socket = UdpSocket::bind("10.0.0.1:0").map_err(|error| error.to_string())?;
    socket
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| socket.connect((GUEST, port)))
        .map_err(|error| error.to_string())?;
    Ok(socket)
}

/// Six fragments there, six back.
pub(crate) fn fragmented_both_ways(images: &Images) -> Result<(), String> {
    let _echo = Image::on_tap(&images.echo, 7, &[])?;
    let socket = socket(7)?;
    let mut buffer = vec![0; 65_535];
    for size in [0, 1, 1472, 1473, 9000, 60_000] {
        let sent = noise(size);
        socket.send(&sent).map_err(|error| format!("sending {size} bytes: {error}"))?;
        let len = socket.recv(&mut buffer).map_err(|error| format!("waiting for {size} bytes: {error}"))?;
        same("the echoed bytes", &buffer[..len], &sent)?;
    }
    Ok(())
}

/// Linux hands an ICMP port unreachable to the connected socket as a refusal.
pub(crate) fn unused_port(images: &Images) -> Result<(), String> {
    let _echo = Image::on_tap(&images.echo, 7, &[])?;
    let socket = socket(4444)?;
    socket.send(b"anybody?").map_err(|error| error.to_string())?;
    match socket.recv(&mut [0; 16]) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        other => Err(format!("expected a refusal, got {other:?}")),
    }
}
