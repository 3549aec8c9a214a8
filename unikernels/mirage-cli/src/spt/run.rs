//! The start of an image.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use mirage_random::{Rng, SeededGenerator};
use mirage_tender_spt::{Block, BlockError, Image, ImageError, Launch, LaunchError, NetError};
use mirage_unix::KernelEntropy;

use crate::output;

use super::{Disk, Net, Options, cable, gateway};

/// Largest packet on the cable to the gateway, in bytes. Each frame is a system call on both sides, and a longest one is what
/// the image reserves room for several times. Of 1,500 to 60,000 this gave the fastest downloads: seven times those at
/// 1,500, for less than half the processor's time.
const MTU: u16 = 16_000;

/// Why an image did not start.
#[derive(Debug)]
pub(crate) enum Error {
    /// Its file cannot be read.
    File(PathBuf, io::Error),
    /// Its file is no image for spt.
    Image(PathBuf, ImageError),
    /// The tap device of this name cannot be had.
    Tap(String, NetError),
    /// The network of its own cannot be made.
    Network(io::Error),
    /// The file behind a disk cannot be had.
    Disk(PathBuf, BlockError),
    /// The image and what it was given do not fit, or the kernel refused.
    Launch(LaunchError),
}

/// Turns this process into the guest: its exit code is the process's, a signal that ends one ends the other. Must be
/// called while the process has one thread.
///
/// A line on standard error tells each port of the host that leads to it.
pub(crate) fn run(options: &Options) -> Result<Infallible, Error> {
    let path = &options.image;
    let file = std::fs::read(path).map_err(|error| Error::File(path.clone(), error))?;
    let image = Image::parse(&file).map_err(|error| Error::Image(path.clone(), error))?;
    let blocks = options.blocks.iter().map(|(name, disk)| Ok((name.clone(), block(disk)?)));
    let nets = options.nets.iter().map(|(name, what)| Ok((name.clone(), net(what)?)));
    let launch = Launch {
        image: &image,
        memory: options.memory,
        command_line: &options.arguments.join(" "),
        blocks: blocks.collect::<Result<_, _>>()?,
        nets: nets.collect::<Result<_, _>>()?,
    };
    launch.run().map_err(Error::Launch)
}

fn block(disk: &Disk) -> Result<Block, Error> {
    Block::open(&disk.path, disk.sector_size).map_err(|error| Error::Disk(disk.path.clone(), error))
}

fn net(what: &Net) -> Result<mirage_tender_spt::Net, Error> {
    match what {
        Net::Tap(name) => mirage_tender_spt::Net::tap(name, None).map_err(|error| Error::Tap(name.clone(), error)),
        Net::User { forwards } => {
            let (near, far) = cable::ends().map_err(Error::Network)?;
            for forward in gateway::start(far, MTU, forwards).map_err(Error::Network)? {
                let mirage_platform::network::Forward { host, service } = forward;
                output::note(format!("{host} leads to the image's port {}", service.port));
            }
            let mut random =
                SeededGenerator::new(&mut KernelEntropy).map_err(|error| Error::Network(io::Error::other(error)))?;
            let mut bits = [0; 6];
            random.fill_bytes(&mut bits);
            Ok(mirage_tender_spt::Net { fd: near, mac: mirage_net::MacAddress::local(bits).octets(), mtu: MTU })
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |path: &Path| path.display().to_string();
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", of(path)),
            Self::Image(path, error) => write!(f, "{}: {error}", of(path)),
            Self::Tap(name, error) => write!(f, "{name}: {error}"),
            Self::Network(error) => write!(f, "the image's network: {error}"),
            Self::Disk(path, error) => write!(f, "{}: {error}", of(path)),
            Self::Launch(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}
