//! What it comes to: an image with what it says about itself, and how it shall be run.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;

use mirage_platform::network::{Forwards, Protocol};

use crate::arguments::{Attachment, Block, Forward, Launch, Machine};
use crate::boot_line::{boot_line, escaped};
use crate::devices::Devices;
use crate::failure::{OrFail, Result};
use crate::image::Facts;
use crate::qemu::Qemu;
use crate::spt;

/// How an image is run, with nothing left open.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) devices: Devices,
    /// Where this machine offers the image's services, in user mode.
    pub(crate) forwards: Vec<Forward>,
    /// In mebibytes.
    pub(crate) memory: u32,
    pub(crate) machine: Machine,
    pub(crate) kvm: bool,
    /// The boot arguments as a line.
    pub(crate) line: String,
}

impl Plan {
    /// For the image at `path`.
    ///
    /// # Errors
    /// It is none, or a device that it declares has nothing behind it.
    pub(crate) fn new(path: &Path, launch: &Launch) -> Result<Self> {
        let file = fs::read(path).or_fail(|| path.display().to_string())?;
        let facts = Facts::of(&file).or_fail(|| path.display().to_string())?;
        // For the same service, what was asked for replaces what the image would like.
        let forwards = Forwards::new(facts.forwards.iter().chain(&launch.forward).map(|forward| forward.0));
        Ok(Self {
            devices: Devices::new(&facts, launch)?,
            forwards: forwards.to_vec().into_iter().map(Forward).collect(),
            memory: launch.memory.unwrap_or(MEMORY),
            machine: launch.machine.unwrap_or_default(),
            kvm: launch.kvm,
            line: boot_line(&launch.arguments),
        })
    }

    /// Puts a free port in the place of each port 0 of this machine, for programs that would not say which they take.
    pub(crate) fn choose_ports(&mut self) -> Result<()> {
        for Forward(forward) in &mut self.forwards {
            if forward.host.port() == 0 {
                let free = match forward.service.protocol {
                    Protocol::Tcp => TcpListener::bind(forward.host).and_then(|door| door.local_addr()),
                    Protocol::Udp => UdpSocket::bind(forward.host).and_then(|door| door.local_addr()),
                };
                forward.host = free.or_fail(|| format!("{}", forward.host))?;
            }
        }
        Ok(())
    }

    /// What this tool's own tender is told.
    pub(crate) fn spt(&self, image: &Path, arguments: &[String]) -> spt::Options {
        let mut forwards: Vec<_> = self.forwards.iter().map(|forward| forward.0).collect();
        let nets = self.devices.nets.iter().map(|(name, attachment)| {
            let net = match attachment {
                // The first has the services.
                Attachment::User => spt::Net::User { forwards: std::mem::take(&mut forwards) },
                Attachment::Tap(interface) => spt::Net::Tap(interface.clone()),
            };
            (name.clone(), net)
        });
        let blocks =
            self.devices.blocks.iter().map(|Block { name, path, sector }| {
                (name.clone(), spt::Disk { path: path.clone(), sector_size: *sector })
            });
        spt::Options {
            image: image.to_owned(),
            memory: (self.memory as usize) << 20,
            // The tender puts blanks between them.
            arguments: arguments.iter().map(|argument| escaped(argument)).collect(),
            nets: nets.collect(),
            blocks: blocks.collect(),
        }
    }

    /// A machine of QEMU's that does it.
    pub(crate) fn qemu<'a>(&'a self, image: &'a Path) -> Qemu<'a> {
        let Self { devices, forwards, memory, machine, kvm, line } = self;
        Qemu { image, line, machine: *machine, memory: *memory, kvm: *kvm, devices, forwards }
    }
}

/// Plenty for most, in mebibytes; a page is taken from this machine when the image first touches it.
const MEMORY: u32 = 64;
