//! What stands behind a disk.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FlockOperation, SeekFrom, flock, seek};

/// A file or disk of the host.
#[derive(Debug)]
pub struct Block {
    /// Readable and writable, at any offset below `capacity`.
    pub fd: OwnedFd,
    /// In bytes, a multiple of `block_size`.
    pub capacity: u64,
    /// Bytes that are read and written at a time: a power of two, 512 to 4096.
    pub block_size: u16,
}

/// Why a file is not used as a disk.
#[derive(Debug)]
#[non_exhaustive]
pub enum BlockError {
    /// It cannot be opened for reading and writing, or has no length.
    Open(io::Error),
    /// Another guest has it.
    InUse,
    /// Blocks are 512, 1024, 2048 or 4096 bytes.
    BlockSize(u16),
    /// Its length in bytes is 0 or no multiple of the block size.
    Capacity(u64),
}

impl Block {
    /// The block size where none is asked for, in bytes.
    pub const BLOCK_SIZE: u16 = 512;

    /// Opens a file or disk of whole blocks, and locks it (`flock(2)`) so that no second guest writes to it.
    ///
    /// # Errors
    /// See [`BlockError`].
    pub fn open(path: &Path, block_size: u16) -> Result<Self, BlockError> {
        let file = File::options().read(true).write(true).open(path).map_err(BlockError::Open)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(BlockError::InUse),
            Err(error) => return Err(BlockError::Open(error.into())),
        }
        // The end and not the metadata's length: disks have only the former.
        let capacity = seek(&file, SeekFrom::End(0)).map_err(|error| BlockError::Open(error.into()))?;
        let block = Self { fd: file.into(), capacity, block_size };
        block.check()?;
        Ok(block)
    }

    /// Whether the numbers fit.
    pub(crate) fn check(&self) -> Result<(), BlockError> {
        if !self.block_size.is_power_of_two() || !(512..=4096).contains(&self.block_size) {
            return Err(BlockError::BlockSize(self.block_size));
        }
        // The kernel's offsets are signed.
        if self.capacity == 0
            || !self.capacity.is_multiple_of(self.block_size.into())
            || self.capacity > i64::MAX as u64
        {
            return Err(BlockError::Capacity(self.capacity));
        }
        Ok(())
    }
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => write!(f, "it cannot be opened: {error}"),
            Self::InUse => f.write_str("another guest has it"),
            Self::BlockSize(size) => write!(f, "blocks have 512, 1024, 2048 or 4096 bytes, not {size}"),
            Self::Capacity(bytes) => write!(f, "its {bytes} bytes are not whole blocks"),
        }
    }
}

impl core::error::Error for BlockError {}
