//! The start of a guest, after which this process is the guest.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use crate::block::{Block, BlockError};
use crate::boot::{self, Boot};
use crate::descriptors::Descriptors;
use crate::elf::PAGE;
use crate::image::Image;
use crate::manifest::{Attached, Kind};
use crate::memory::Memory;
use crate::net::Net;
use crate::{filter, machine, process};

/// What a guest is started with.
#[derive(Debug)]
pub struct Launch<'a> {
    /// What runs.
    pub image: &'a Image<'a>,
    /// Where its memory ends, in bytes from 0: a multiple of 4096. The first 64 KiB are not there.
    pub memory: usize,
    /// At most 8191 bytes, none of them zero.
    pub command_line: &'a str,
    /// What is behind each network device, by its name.
    pub nets: Vec<(String, Net)>,
    /// What is behind each disk, by its name.
    pub blocks: Vec<(String, Block)>,
}

/// Why a guest did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum LaunchError {
    /// No guest runs on this processor: x86-64 is needed.
    Unsupported,
    /// The memory is no multiple of 4096 bytes, or the image alone needs more: so many bytes.
    Memory(u64),
    /// The command line is longer than 8191 bytes or has a zero in it.
    CommandLine,
    /// The image declares no such device, or one of another kind.
    NoDevice(Kind, String),
    /// A device is attached twice.
    Twice(String),
    /// The image declares a device that was not attached.
    NotAttached(Kind, String),
    /// A disk's numbers do not fit.
    Block(String, BlockError),
    /// The process has more than one thread.
    Threads,
    /// The addresses of the guest's memory cannot be had: `vm.mmap_min_addr` must be at most 65536, and a limit on the
    /// process's memory higher than the guest's.
    Map(io::Error),
    /// The kernel cannot confine the process: Linux 5.9 with seccomp filters is needed.
    Confine(io::Error),
    /// The kernel refused something else.
    Kernel(io::Error),
}

impl Launch<'_> {
    /// Turns this process into the guest. Does not return when all went well: the guest's exit code is the process's.
    ///
    /// The process must have one thread. Every descriptor but standard output and the devices is closed, every signal does
    /// what it does in a new process, and only the system calls that Solo5's spt allows remain; any other ends the process
    /// by `SIGSYS`.
    ///
    /// # Errors
    /// See [`LaunchError`]. Memory may be mapped then; nothing else of the process has changed.
    ///
    /// # Aborts
    /// When the kernel first says that it can confine the process and then does not.
    pub fn run(self) -> Result<Infallible, LaunchError> {
        if !machine::SUPPORTED {
            return Err(LaunchError::Unsupported);
        }
        let devices = self.check()?;
        if !process::is_alone().map_err(LaunchError::Kernel)? {
            return Err(LaunchError::Threads);
        }
        process::check_filters().map_err(LaunchError::Confine)?;

        let handle =
            |name: &str| self.image.devices().position(|device| device.name == name).map_or(0, |at| at as u64 + 1);
        let nets = self.nets.iter().map(|(name, net)| (handle(name), net.fd.as_fd()));
        let waits = Descriptors::new(nets).map_err(LaunchError::Kernel)?;
        let (epoll, timer) = (waits.epoll.as_raw_fd(), waits.timer.as_raw_fd());
        let program = filter::program(&devices, epoll, timer)
            .map_err(|error| LaunchError::Confine(io::Error::other(error.to_string())))?;
        let kept: Vec<_> = devices.iter().map(|device| device.fd()).chain([1, epoll, timer]).collect();

        self.load(&devices, epoll, timer)?;
        // SAFETY: nothing runs from here on but the guest, which knows of `kept` only, or an abort.
        unsafe { process::close_all_but(&kept) }.map_err(LaunchError::Confine)?;
        process::forget_signals();
        // No error can be reported any more: standard error is closed, and owners of descriptors would close them twice.
        if seccompiler::apply_filter(&program).is_err() {
            std::process::abort();
        }
        // SAFETY: `Image` says that there is code at the entry, `load` mapped it and all memory up to the end, and the
        // filter holds it whatever it does. This is the only thread.
        unsafe { machine::enter(self.image.entry() as usize, boot::ADDRESS, self.memory) }
    }

    /// Checks what was asked for, and says what is behind each device in the manifest's order.
    fn check(&self) -> Result<Vec<Attached>, LaunchError> {
        let end = self.image.end();
        if !(self.memory as u64).is_multiple_of(PAGE) || (self.memory as u64) < end {
            return Err(LaunchError::Memory(end));
        }
        if self.command_line.len() > boot::LONGEST_COMMAND_LINE || self.command_line.contains('\0') {
            return Err(LaunchError::CommandLine);
        }
        let mut asked = Vec::new();
        for (name, net) in &self.nets {
            let attached = Attached::Net { fd: net.fd.as_raw_fd(), mac: net.mac, mtu: net.mtu };
            asked.push((Kind::Net, name, attached));
        }
        for (name, block) in &self.blocks {
            block.check().map_err(|error| LaunchError::Block(name.clone(), error))?;
            let Block { capacity, block_size, .. } = *block;
            asked.push((Kind::Block, name, Attached::Block { fd: block.fd.as_raw_fd(), capacity, block_size }));
        }
        let mut found = Vec::new();
        for device in self.image.devices() {
            let mut same = asked.extract_if(.., |(kind, name, _)| *kind == device.kind && *name == device.name);
            let attached = same.next().ok_or_else(|| LaunchError::NotAttached(device.kind, device.name.into()))?;
            if same.next().is_some() {
                return Err(LaunchError::Twice(device.name.into()));
            }
            found.push(attached.2);
        }
        match asked.first() {
            Some((kind, name, _)) => Err(LaunchError::NoDevice(*kind, (*name).clone())),
            None => Ok(found),
        }
    }

    /// Maps the guest's memory and writes what it begins with.
    fn load(&self, devices: &[Attached], epoll: i32, timer: i32) -> Result<(), LaunchError> {
        let mut memory = Memory::map(self.memory).map_err(LaunchError::Map)?;
        for segment in self.image.segments() {
            memory.load(segment).map_err(LaunchError::Map)?;
        }
        let boot = Boot {
            memory: self.memory as u64,
            image: self.image.end(),
            command_line: self.command_line,
            manifest: &self.image.manifest().complete(devices),
            epoll,
            timer,
        };
        memory.write(boot::ADDRESS, &boot.bytes());
        Ok(())
    }
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("guests run on x86-64 only"),
            Self::Memory(least) => {
                write!(f, "memory must be a multiple of 4096 bytes, and more than the image's {least}")
            }
            Self::CommandLine => f.write_str("the command line is longer than 8191 bytes or has a zero in it"),
            Self::NoDevice(kind, name) => write!(f, "the image has no {kind} {name:?}"),
            Self::Twice(name) => write!(f, "the device {name:?} is attached twice"),
            Self::NotAttached(kind, name) => write!(f, "the image needs a {kind} {name:?}"),
            Self::Block(name, error) => write!(f, "the disk {name:?}: {error}"),
            Self::Threads => f.write_str("the process has more than one thread"),
            Self::Map(error) => write!(
                f,
                "the guest's memory cannot be mapped (is vm.mmap_min_addr at most 65536, and enough memory allowed?): {error}"
            ),
            Self::Confine(error) => {
                write!(f, "the process cannot be confined (Linux 5.9 with seccomp filters is needed): {error}")
            }
            Self::Kernel(error) => write!(f, "the kernel refused: {error}"),
        }
    }
}

impl core::error::Error for LaunchError {}
