//! What it comes to: an image with what it says about itself, and how it shall be run.

use std::fs;
use std::path::Path;

use mirage_platform::network::Forwards;

use crate::arguments::{Forward, Launch, Machine};
use crate::boot_line::boot_line;
use crate::devices::Devices;
use crate::failure::{OrFail, Result};
use crate::image::Facts;
use crate::qemu::Qemu;

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

    /// A machine of QEMU's that does it.
    pub(crate) fn qemu<'a>(&'a self, image: &'a Path) -> Qemu<'a> {
        let Self { devices, forwards, memory, machine, kvm, line } = self;
        Qemu { image, line, machine: *machine, memory: *memory, kvm: *kvm, devices, forwards }
    }
}

/// Plenty for most, in mebibytes; a page is taken from this machine when the image first touches it.
const MEMORY: u32 = 64;
