//! A disk in the application's hands.

use mirage_block::{Block, ErrorType, Flush, Info};
use mirage_block_unix::{Disk, DiskError};

use super::Disks;

/// A disk of the process that the application holds; dropped, it can be had again.
#[derive(Debug)]
pub(crate) struct Lent {
    /// `None` in `drop` alone.
    disk: Option<Disk>,
    of: Disks,
    at: usize,
}

impl Lent {
    pub(super) const fn new(disk: Disk, of: Disks, at: usize) -> Self {
        Self { disk: Some(disk), of, at }
    }

    fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("it is there until it is dropped")
    }

    fn disk_mut(&mut self) -> &mut Disk {
        self.disk.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(disk) = self.disk.take() {
            self.of.take_back(self.at, disk);
        }
    }
}

impl ErrorType for Lent {
    type Error = DiskError;
}

impl Block for Lent {
    fn info(&self) -> Info {
        self.disk().info()
    }

    async fn read(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), DiskError> {
        self.disk_mut().read(start, buffer).await
    }

    async fn write(&mut self, start: u64, data: &[u8]) -> Result<(), DiskError> {
        self.disk_mut().write(start, data).await
    }
}

impl Flush for Lent {
    async fn flush(&mut self) -> Result<(), DiskError> {
        self.disk_mut().flush().await
    }
}
