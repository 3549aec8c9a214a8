//! The device, and the powers that only some have.

use core::future::Future;

use crate::{ErrorKind, ErrorType};

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Bytes of a sector: a power of two, at least 512.
    pub sector_size: u32,
    /// How many sectors there are.
    pub sectors: u64,
    /// Whether it takes no writes.
    pub read_only: bool,
}

impl Info {
    /// Whether a request for `len` bytes from sector `start` on lies on the device: whole sectors, none past the end.
    ///
    /// # Errors
    /// [`ErrorKind::Unaligned`], [`ErrorKind::OutOfRange`].
    pub const fn check(&self, start: u64, len: usize) -> Result<(), ErrorKind> {
        let (len, size) = (len as u64, self.sector_size as u64);
        if size == 0 || !len.is_multiple_of(size) {
            return Err(ErrorKind::Unaligned);
        }
        self.check_sectors(start, len / size)
    }

    /// Whether `count` sectors from sector `start` on lie on the device.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`].
    pub const fn check_sectors(&self, start: u64, count: u64) -> Result<(), ErrorKind> {
        match start.checked_add(count) {
            Some(end) if end <= self.sectors => Ok(()),
            _ => Err(ErrorKind::OutOfRange),
        }
    }
}

/// A block device.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a block device",
    note = "devices: `mirage_block_unix::Disk`, `mirage_block_solo5::Disk`, `mirage_block_virtio::Disk`"
)]
pub trait Block: ErrorType {
    /// What the device is.
    fn info(&self) -> Info;

    /// Reads as many sectors as `buffer` holds, from sector `start` on.
    ///
    /// Dropping the future leaves the buffer unspecified and the device usable.
    ///
    /// # Errors
    /// `Unaligned`, `OutOfRange`; those of the device. The buffer is then unspecified.
    fn read(&mut self, start: u64, buffer: &mut [u8]) -> impl Future<Output = Result<(), Self::Error>>;

    /// Writes `data` from sector `start` on. What was written can be read back at once; only a [`Flush`] makes it
    /// survive a loss of power.
    ///
    /// Dropping the future leaves each of its sectors with the old or the new bytes.
    ///
    /// # Errors
    /// `Unaligned`, `OutOfRange`, `ReadOnly`; those of the device.
    fn write(&mut self, start: u64, data: &[u8]) -> impl Future<Output = Result<(), Self::Error>>;
}

/// A device that can be told to keep what was written.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot flush what was written to its medium")]
pub trait Flush: Block {
    /// Ready when every write that was done before survives a loss of power.
    ///
    /// # Errors
    /// Those of the device: what was written since the last flush may be lost.
    fn flush(&mut self) -> impl Future<Output = Result<(), Self::Error>>;
}

/// A device that can be told that sectors are not needed.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot discard sectors")]
pub trait Discard: Block {
    /// Says that `count` sectors from `start` on are not needed: what they hold afterwards is unspecified until they
    /// are written again.
    ///
    /// # Errors
    /// `OutOfRange`, `ReadOnly`; those of the device.
    fn discard(&mut self, start: u64, count: u64) -> impl Future<Output = Result<(), Self::Error>>;
}

impl<T: Block + ?Sized> Block for &mut T {
    fn info(&self) -> Info {
        T::info(self)
    }
    fn read(&mut self, start: u64, buffer: &mut [u8]) -> impl Future<Output = Result<(), Self::Error>> {
        T::read(self, start, buffer)
    }
    fn write(&mut self, start: u64, data: &[u8]) -> impl Future<Output = Result<(), Self::Error>> {
        T::write(self, start, data)
    }
}

impl<T: Flush + ?Sized> Flush for &mut T {
    fn flush(&mut self) -> impl Future<Output = Result<(), Self::Error>> {
        T::flush(self)
    }
}

impl<T: Discard + ?Sized> Discard for &mut T {
    fn discard(&mut self, start: u64, count: u64) -> impl Future<Output = Result<(), Self::Error>> {
        T::discard(self, start, count)
    }
}
