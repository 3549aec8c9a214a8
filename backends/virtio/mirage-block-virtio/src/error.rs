//! Why a device cannot be used.

use core::fmt;

use mirage_virtqueue::Refused;

/// Why a device cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// It is not a block device.
    NotABlockDevice,
    /// Its sectors are larger than the memory for requests, or of a size that no disk has.
    SectorSize,
    /// The memory that was asked for is not there.
    NoMemory,
    /// It does not accept what this driver understands, or has no queue.
    Refused,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotABlockDevice => "not a block device",
            Self::SectorSize => "a sector size that cannot be handled",
            Self::NoMemory => "no memory for the device",
            Self::Refused => "the device does not accept this driver",
        })
    }
}

impl core::error::Error for Error {}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoMemory => Self::NoMemory,
            _ => Self::Refused,
        }
    }
}
