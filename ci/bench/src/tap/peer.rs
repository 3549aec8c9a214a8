//! The peer's near end, in a process of its own: characters without end at one port, what comes is thrown away at the other.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use rustix::net::sockopt::set_tcp_congestion;

use super::CONGESTION;

/// RFC 863 and RFC 864, where ours offers them.
pub(super) const DISCARD: u16 = 9;
pub(super) const CHARGEN: u16 = 19;

/// How much one call moves: as much as the far end's.
const CHUNK: usize = 64 * 1024;

/// Serves one connection after the other at each port until the process is ended.
pub(crate) fn run() -> Result<(), String> {
    let listen = |port| {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).and_then(|listener| {
            // What it accepts has the same.
            set_tcp_congestion(&listener, CONGESTION)?;
            Ok(listener)
        });
        listener.map_err(|error| format!("listening at port {port}: {error}"))
    };
    let (discard, chargen) = (listen(DISCARD)?, listen(CHARGEN)?);
    let (mut into, from) = (vec![0; CHUNK], vec![0x5a; CHUNK]);
    std::thread::scope(|scope| {
        scope.spawn(move || each(&discard, |stream| matches!(stream.read(&mut into), Ok(1..))));
        scope.spawn(move || each(&chargen, |stream| stream.write(&from).is_ok()));
    });
    Ok(())
}

/// Accepts for ever and takes steps on each connection while they succeed.
fn each(listener: &TcpListener, mut step: impl FnMut(&mut TcpStream) -> bool) {
    for mut stream in listener.incoming().flatten() {
        while step(&mut stream) {}
    }
}
