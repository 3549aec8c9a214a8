//! A file as a disk.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use mirage_block::{Block, Discard, ErrorKind, ErrorType, Flush, Info};
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use crate::{DiskError, OpenError, Options, open};

/// A file, or a block device of the host, as a disk.
///
/// Each request is one system call that blocks the thread until it is done. The file is locked until the disk is
/// dropped.
#[derive(Debug)]
pub struct Disk {
    file: File,
    info: Info,
}

impl Disk {
    /// Opens a file or block device.
    ///
    /// A disk that takes writes is nobody else's; read-only disks share a file. The lock is advisory (`flock`): it
    /// keeps out whoever asks for it.
    ///
    /// # Errors
    /// [`OpenError`]: the host refuses, the file is in use, or it is no whole number of sectors.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let (file, info) = open::open(path.as_ref(), options)?;
        Ok(Self { file, info })
    }

    /// Makes a file of `bytes` zeros, a multiple of 512, which takes no room on the host until it is written.
    ///
    /// # Errors
    /// [`OpenError::Host`] when there is a file already, or the host refuses; [`OpenError::Size`].
    pub fn create(path: impl AsRef<Path>, bytes: u64) -> Result<(), OpenError> {
        open::create(path.as_ref(), bytes)
    }

    fn writable(&self) -> Result<(), ErrorKind> {
        if self.info.read_only { Err(ErrorKind::ReadOnly) } else { Ok(()) }
    }

    /// Where a sector that was checked begins. No overflow: the file's size in bytes is a `u64`.
    fn offset(&self, sector: u64) -> u64 {
        sector * u64::from(self.info.sector_size)
    }
}

impl ErrorType for Disk {
    type Error = DiskError;
}

impl Block for Disk {
    fn info(&self) -> Info {
        self.info
    }

    async fn read(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), DiskError> {
        self.info.check(start, buffer.len())?;
        Ok(self.file.read_exact_at(buffer, self.offset(start))?)
    }

    async fn write(&mut self, start: u64, data: &[u8]) -> Result<(), DiskError> {
        self.writable()?;
        self.info.check(start, data.len())?;
        Ok(self.file.write_all_at(data, self.offset(start))?)
    }
}

impl Flush for Disk {
    /// `fdatasync`: the host has told its medium to keep what was written.
    async fn flush(&mut self) -> Result<(), DiskError> {
        if self.info.read_only {
            return Ok(());
        }
        Ok(self.file.sync_data()?)
    }
}

impl Discard for Disk {
    /// Punches a hole: the room is the host's again, and the sectors read as zeros. A file system that has no holes
    /// keeps the sectors as they are.
    async fn discard(&mut self, start: u64, count: u64) -> Result<(), DiskError> {
        self.writable()?;
        self.info.check_sectors(start, count)?;
        if count == 0 {
            return Ok(());
        }
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match rustix::fs::fallocate(&self.file, hole, self.offset(start), self.offset(count)) {
            Ok(()) | Err(Errno::OPNOTSUPP) => Ok(()),
            Err(errno) => Err(DiskError::Host(errno.into())),
        }
    }
}
