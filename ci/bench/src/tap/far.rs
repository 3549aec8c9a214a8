//! The far end: an ordinary socket of Linux.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_tcp_congestion;
use rustix::net::{AddressFamily, SocketType, socket};

use super::near::Near;
use super::{CONGESTION, COUNTED, WARM_UP, Way};
use crate::lab::{Lab, Side};

/// How much one call moves.
const CHUNK: usize = 64 * 1024;
/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gbit/s of one stream between a socket on the client's side and `near`.
pub(super) fn rate(lab: &Lab, near: &Near, way: Way) -> Result<f64, String> {
    std::thread::scope(|scope| {
        // A thread of its own: where it is, it cannot come back from.
        let far = scope.spawn(|| {
            lab.enter(Side::Client)?;
            Lab::pin()?;
            stream(near, way).map_err(|error| format!("{way:?} with {}: {error}", near.name()))
        });
        far.join().unwrap_or_else(|_| Err("the far end panicked".to_owned()))
    })
}

/// An ordinary connection, but with the congestion control that both sides shall have.
fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    set_tcp_congestion(&socket, CONGESTION)?;
    rustix::net::connect(&socket, &to)?;
    Ok(socket.into())
}

fn stream(near: &Near, way: Way) -> io::Result<f64> {
    let mut stream = connect(SocketAddr::new(near.address(), near.port(way)))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut buffer = vec![0x5a; CHUNK];
    let mut step = || match way {
        Way::Send => match stream.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            result => result,
        },
        Way::Receive => stream.write(&buffer),
    };
    let started = Instant::now();
    while started.elapsed() < WARM_UP {
        step()?;
    }
    let (started, mut bytes) = (Instant::now(), 0);
    while started.elapsed() < COUNTED {
        bytes += step()?;
    }
    Ok(bytes as f64 * 8.0 / started.elapsed().as_secs_f64() / 1e9)
}
