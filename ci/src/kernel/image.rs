//! An image as a process, ended when dropped.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{GUEST, namespace::TAP};

pub(crate) struct Image {
    child: Child,
}

impl Image {
    /// Starts an image on the tap of the namespace this thread is in, and waits until its TCP `port` answers.
    pub(crate) fn on_tap(program: &Path, port: u16, arguments: &[&str]) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.arg(format!("--net=tap:{TAP}")).arg(format!("--ipv4={GUEST}/24")).args(arguments);
        let address = format!("{GUEST}:{port}").parse().map_err(|_| "the guest's address is one".to_owned())?;
        Self::start(&mut command, address)
    }

    /// Starts a command and waits until `address` takes connections.
    pub(crate) fn start(command: &mut Command, address: SocketAddr) -> Result<Self, String> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))?;
        let mut image = Self { child };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect_timeout(&address, Duration::from_millis(300)).is_err() {
            if let Ok(Some(status)) = image.child.try_wait() {
                return Err(format!("the image ended early: {status}"));
            }
            if Instant::now() > deadline {
                return Err(format!("{address} does not answer"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(image)
    }

    /// Interrupts it as Ctrl-C does and gives its exit code.
    pub(crate) fn interrupt(mut self) -> Result<Option<i32>, String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no process identifier")?;
        kill_process(pid, Signal::INT).map_err(|error| error.to_string())?;
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status.code()),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
                _ => return Err("it did not end within 5 s of being interrupted".to_owned()),
            }
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
