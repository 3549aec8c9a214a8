//! What an image is started with.

use std::path::PathBuf;

use mirage_platform::network::Forward;

/// What an image is started with.
#[derive(Debug)]
pub(crate) struct Options {
    /// The image's file.
    pub(crate) image: PathBuf,
    /// Where its memory ends, in bytes: a multiple of 4096.
    pub(crate) memory: usize,
    /// Its arguments; it gets them with single blanks between.
    pub(crate) arguments: Vec<String>,
    /// What is behind each network device, by its name in the image.
    pub(crate) nets: Vec<(String, Net)>,
    /// What is behind each disk, by its name in the image.
    pub(crate) blocks: Vec<(String, Disk)>,
}

/// What is behind a network device.
#[derive(Debug)]
pub(crate) enum Net {
    /// Our own gateway to the host's sockets, in a process of its own. The guest is 10.0.2.15 in 10.0.2.0/24, the gateway
    /// 10.0.2.2.
    User {
        /// Which ports of the host lead to which of the guest.
        forwards: Vec<Forward>,
    },
    /// A tap device that is there and up, by its name.
    Tap(String),
}

/// What is behind a disk.
#[derive(Debug)]
pub(crate) struct Disk {
    /// A file or disk of the host.
    pub(crate) path: PathBuf,
    /// Bytes that are read and written at a time: 512, 1024, 2048 or 4096.
    pub(crate) sector_size: u16,
}
