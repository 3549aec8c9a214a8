//! An image that runs, ended when dropped.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long an image may take for anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// An image that runs.
pub(super) struct Guest {
    child: Child,
    /// Where it is reached.
    pub(super) address: SocketAddr,
}

impl Guest {
    /// Starts `command` with its TCP `port` at a free one of this machine, and waits until it answers there.
    pub(super) fn serving(mut command: Command, port: u16, arguments: &[&str]) -> Result<Self, String> {
        let host = free_port()?;
        command.args(["--forward", &format!("{host}:{port}")]).args(arguments);
        let child = start(&mut command)?;
        let guest = Self { child, address: (Ipv4Addr::LOCALHOST, host).into() };
        guest.answers()
    }

    /// Waits until a connection is taken and stays: a gateway may take it before the image does.
    fn answers(mut self) -> Result<Self, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("it ended early: {status}"));
            }
            if stays(&self.address) {
                return Ok(self);
            }
            if Instant::now() > deadline {
                return Err(format!("{} does not answer", self.address));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Interrupts it as Ctrl-C does and gives its exit code.
    pub(super) fn interrupt(mut self) -> Result<Option<i32>, String> {
        signal(&self.child);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status.code()),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                _ => return Err("it did not end within 10 s of being interrupted".to_owned()),
            }
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Gently first: what runs beside it shall end, too.
        signal(&self.child);
        for _ in 0..200 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether a connection is taken and not ended at once.
fn stays(address: &SocketAddr) -> bool {
    let stays = || -> io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_millis(100)))?;
        match stream.read(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(true),
            Ok(read) => Ok(read > 0),
            Err(error) => Err(error),
        }
    };
    stays().unwrap_or(false)
}

/// Runs `command` to its end: what it printed, and its exit code.
pub(super) fn to_the_end(mut command: Command) -> Result<(String, Option<i32>), String> {
    let mut child = start(command.stdout(Stdio::piped()))?;
    let output = child.stdout.take().ok_or("there is a standard output")?;
    let reader = thread::spawn(move || {
        let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
        lines.map(|line| String::from_utf8_lossy(&line).into_owned() + "\n").collect::<String>()
    });
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            None => {
                drop(child.kill());
                drop(child.wait());
                return Err("it does not end".to_owned());
            }
        }
    };
    let said = reader.join().map_err(|_| "its output could not be read".to_owned())?;
    Ok((said, status.code()))
}

fn start(command: &mut Command) -> Result<Child, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).spawn().map_err(|error| format!("{program}: {error}"))
}

fn signal(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::INT);
    }
}

fn free_port() -> Result<u16, String> {
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|door| door.local_addr());
    door.map(|address| address.port()).map_err(|error| error.to_string())
}
