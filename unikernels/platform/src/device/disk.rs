//! The block and network devices of the target, under names that are the same on all.

use mirage_block::{Block, ErrorKind, ErrorType, Info};

use crate::target;

/// A network device of an application's own.
pub type Nic = target::Net;

/// A block device of the target.
#[derive(Debug)]
pub struct Disk(pub(crate) target::Block);

impl Disk {
    /// Makes what was written survive a loss of power; `None` where the target has no such power, and what was written
    /// is as safe as the host keeps it.
    ///
    /// # Errors
    /// Those of the device: what was written since the last flush may be lost.
    pub async fn flush(&mut self) -> Option<Result<(), ErrorKind>> {
        target::Machine::flush(&mut self.0).await
    }
}

impl ErrorType for Disk {
    type Error = ErrorKind;
}

impl Block for Disk {
    fn info(&self) -> Info {
        self.0.info()
    }

    async fn read(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), ErrorKind> {
        self.0.read(start, buffer).await.map_err(|error| mirage_block::Error::kind(&error))
    }

    async fn write(&mut self, start: u64, data: &[u8]) -> Result<(), ErrorKind> {
        self.0.write(start, data).await.map_err(|error| mirage_block::Error::kind(&error))
    }
}
