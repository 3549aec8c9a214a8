//! Why a device was not opened.

use core::fmt;

/// Why a device was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The manifest has no device of this name: declare it.
    Absent,
    /// The device of this name is a network.
    NotADisk,
    /// It is open already.
    Busy,
    /// The tender's blocks are not a power of two of at least 512 bytes: attach it with others.
    BlockSize(u16),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "no such device in the manifest",
            Self::NotADisk => "not a block device",
            Self::Busy => "the device is open already",
            Self::BlockSize(_) => "blocks must have a power of two of bytes, at least 512",
        })
    }
}

impl core::error::Error for OpenError {}
