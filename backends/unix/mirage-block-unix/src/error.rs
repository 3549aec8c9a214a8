//! Why a disk said no.

use std::error::Error;
use std::fmt;
use std::io;

use mirage_block::ErrorKind;
use rustix::io::Errno;

/// Why a file is no disk.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The host does not open, lock or make the file.
    Host(io::Error),
    /// Another process has it open as a disk, or it is mounted: end that first, or open both read-only.
    InUse,
    /// It is neither a file nor a block device.
    NotADisk,
    /// Its size is no multiple of the sector size, or zero.
    Size {
        /// Bytes of the file.
        bytes: u64,
        /// Bytes of a sector, as asked for.
        sector_size: u32,
    },
    /// The sector size is no power of two, or not from 512 to 65,536.
    SectorSize(u32),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(error) => error.fmt(f),
            Self::InUse => f.write_str("in use as a disk by another process, or mounted"),
            Self::NotADisk => f.write_str("neither a file nor a block device"),
            Self::Size { bytes: 0, .. } => f.write_str("the file is empty"),
            Self::Size { bytes, sector_size } => {
                write!(f, "its {bytes} bytes are no whole number of sectors of {sector_size} bytes")
            }
            Self::SectorSize(size) => {
                write!(f, "a sector of {size} bytes: it must be a power of two from 512 to 65536")
            }
        }
    }
}

impl Error for OpenError {}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::BUSY) => Self::InUse,
            _ => Self::Host(error),
        }
    }
}

/// Why a request failed.
#[derive(Debug)]
pub enum DiskError {
    /// The request was refused before the host was asked.
    Refused(ErrorKind),
    /// The host failed.
    Host(io::Error),
}

impl mirage_block::Error for DiskError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(kind) => *kind,
            Self::Host(error) => match Errno::from_io_error(error) {
                Some(Errno::NODEV | Errno::NXIO) => ErrorKind::Disconnected,
                _ => ErrorKind::Device,
            },
        }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(kind) => kind.fmt(f),
            Self::Host(error) => error.fmt(f),
        }
    }
}

impl Error for DiskError {}

impl From<ErrorKind> for DiskError {
    fn from(kind: ErrorKind) -> Self {
        Self::Refused(kind)
    }
}

impl From<io::Error> for DiskError {
    fn from(error: io::Error) -> Self {
        Self::Host(error)
    }
}
