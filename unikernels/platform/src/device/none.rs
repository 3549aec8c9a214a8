//! No block device.

use core::convert::Infallible;

use mirage_block::{ErrorType, Info};

/// There are no block devices yet.
#[derive(Debug)]
pub(crate) enum NoDisk {}

impl ErrorType for NoDisk {
    type Error = Infallible;
}

impl mirage_block::Block for NoDisk {
    fn info(&self) -> Info {
        match *self {}
    }

    async fn read(&mut self, _start: u64, _buffer: &mut [u8]) -> Result<(), Infallible> {
        match *self {}
    }

    async fn write(&mut self, _start: u64, _data: &[u8]) -> Result<(), Infallible> {
        match *self {}
    }
}
