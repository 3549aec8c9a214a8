//! The first answer of a server.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{Lab, Side};

/// How long the client waits for a connection before it tries with another: a segment to nobody is lost, and TCP would
/// wait a second before it sends the next.
const PATIENCE: Duration = Duration::from_micros(500);
/// How long a server may take.
const LONGEST: Duration = Duration::from_secs(10);

/// From the start of `command` on `side` to the first answer of port 80 at `address`, asked for from the client's side again
/// and again.
pub(super) fn first(lab: &Lab, side: Side, command: &mut Command, address: &str) -> Result<Duration, String> {
    let address = format!("{address}:80").parse().map_err(|_| "an address".to_owned())?;
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    std::thread::scope(|scope| {
        // A thread of its own: where it is, it cannot come back from.
        let run = scope.spawn(|| {
            lab.enter(side)?;
            let started = Instant::now();
            let mut child = command.spawn().map_err(|error| format!("it did not start: {error}"))?;
            let answered = lab.enter(Side::Client).and_then(|()| ask(address, started, &mut child));
            let took = started.elapsed();
            end(&mut child);
            answered.map(|()| took)
        });
        run.join().unwrap_or_else(|_| Err("panicked".to_owned()))
    })
}

/// Asks until there is an answer.
fn ask(address: SocketAddr, started: Instant, child: &mut Child) -> Result<(), String> {
    loop {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return answer(stream).map_err(|error| format!("{address}: {error}")),
            Err(_) if started.elapsed() < LONGEST => {}
            Err(error) => return Err(format!("{address}: {error}")),
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the server ended early: {status}"));
        }
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LONGEST))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 15];
    stream.read_exact(&mut head)?;
    if head == *b"HTTP/1.1 200 OK" { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
}

/// Asks it to end, so that nginx ends its worker, and waits: the next one takes the same port and tap.
fn end(child: &mut Child) {
    drop(Command::new("kill").args(["-TERM", &child.id().to_string()]).status());
    let deadline = Instant::now() + Duration::from_secs(2);
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > deadline {
            drop(child.kill());
            drop(child.wait());
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
