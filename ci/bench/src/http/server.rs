//! A server under test.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{cpu, wrk};
use crate::lab::{Lab, PEER, Side};
use crate::{folders, nginx};

/// How to start a server, and where it will be.
pub(super) struct Server {
    /// What it is called in rows.
    pub(super) name: &'static str,
    pub(super) command: Command,
    /// Its address; the port is 80.
    pub(super) address: String,
}

/// The peer.
pub(super) fn nginx(lab: &Lab) -> Result<Server, String> {
    let mut command = lab.command(Side::Peer, "nginx");
    command.arg("-c").arg(nginx::config()?);
    Ok(Server { name: "nginx", command, address: PEER.to_owned() })
}

/// Every kind of `web` there is: a process, and a Solo5 image under our tender.
pub(super) fn ours(lab: &Lab) -> Result<[Server; 2], String> {
    let tap = lab.tap(8)?;
    let mut unix = lab.command(Side::Client, folders::program("web"));
    unix.arg(format!("--net=tap:{}", tap.name)).arg(format!("--ipv4={}/24", tap.guest));
    let unix = Server { name: "unix", command: unix, address: tap.guest };
    let tap = lab.tap(9)?;
    let mut spt = lab.command(Side::Client, folders::program("mirage-spt"));
    spt.arg("--mem=64").arg(format!("--net:service={}", tap.name));
    spt.arg(folders::image("web.spt")).arg(format!("--ipv4={}/24", tap.guest));
    let spt = Server { name: "spt", command: spt, address: tap.guest };
    Ok([unix, spt])
}

/// A server that runs; dropping it ends it.
pub(super) struct Running {
    pub(super) url: String,
    child: Child,
}

/// What one run gave.
pub(super) struct Run {
    pub(super) wrk: wrk::Said,
    /// The server's time on the processor.
    pub(super) cpu: Duration,
}

impl Running {
    /// Starts it and waits until it answers.
    pub(super) fn start(server: &mut Server, lab: &Lab) -> Result<Self, String> {
        let command = server.command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().map_err(|error| format!("{} did not start: {error}", server.name))?;
        let mut running = Self { url: format!("http://{}/", server.address), child };
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let mut ask = lab.command(Side::Client, "curl");
            ask.args(["-s", "-o", "/dev/null", "--max-time", "1", &running.url]);
            if ask.status().is_ok_and(|status| status.success()) {
                return Ok(running);
            }
            if let Ok(Some(status)) = running.child.try_wait() {
                return Err(format!("{} ended early: {status}", server.name));
            }
            if Instant::now() > deadline {
                return Err(format!("{} does not answer at {}", server.name, running.url));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Has wrk ask over so many connections at once.
    pub(super) fn serve(&self, lab: &Lab, connections: u32) -> Result<Run, String> {
        let before = cpu::of(self.child.id())?;
        let wrk = wrk::run(lab, &self.url, connections)?;
        let after = cpu::of(self.child.id())?;
        Ok(Run { wrk, cpu: after.saturating_sub(before) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked, not killed: nginx must end its worker.
        let id = self.child.id().to_string();
        drop(Command::new("kill").args(["-TERM", &id]).status());
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                drop(self.child.kill());
                drop(self.child.wait());
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
