//! The device.

use core::marker::PhantomData;

use mirage_block::{Block, ErrorKind, ErrorType, Info};
use mirage_solo5::{Abi, Error, Handle, Kind, Machine};

use crate::OpenError;

/// A block device that the tender attached.
///
/// A request is done when the call returns: the image does nothing else in between. It costs one call of the host for
/// each sector, for the interface moves no more at once. When one fails, the sectors before it are done.
#[derive(Debug)]
pub struct Disk<A> {
    handle: Handle,
    info: Info,
    abi: PhantomData<A>,
}

impl<A: Abi> Disk<A> {
    /// Opens the block device that the manifest calls `name`. Its sectors are the tender's blocks; what is left over at
    /// its end is not used.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(machine: &Machine<A>, name: &str) -> Result<Self, OpenError> {
        let (handle, kind) = machine.devices().find(name).ok_or(OpenError::Absent)?;
        let Kind::Block { capacity, block_size } = kind else { return Err(OpenError::NotADisk) };
        if !block_size.is_power_of_two() || block_size < 512 {
            return Err(OpenError::BlockSize(block_size));
        }
        if !machine.claim(handle) {
            return Err(OpenError::Busy);
        }
        let info = Info {
            sector_size: block_size.into(),
            sectors: capacity / u64::from(block_size),
            // The interface does not tell, and tenders attach only what can be written.
            read_only: false,
        };
        Ok(Self { handle, info, abi: PhantomData })
    }

    /// Where each sector of a request that was checked begins, in bytes. No overflow: the capacity is a `u64`.
    fn offsets(&self, start: u64) -> impl Iterator<Item = u64> + use<A> {
        let Info { sector_size, sectors, .. } = self.info;
        (start..sectors).map(move |sector| sector * u64::from(sector_size))
    }
}

impl<A: Abi> ErrorType for Disk<A> {
    type Error = ErrorKind;
}

impl<A: Abi> Block for Disk<A> {
    fn info(&self) -> Info {
        self.info
    }

    async fn read(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), ErrorKind> {
        self.info.check(start, buffer.len())?;
        for (sector, offset) in buffer.chunks_exact_mut(self.info.sector_size as usize).zip(self.offsets(start)) {
            A::block_read(self.handle, offset, sector).map_err(failed)?;
        }
        Ok(())
    }

    async fn write(&mut self, start: u64, data: &[u8]) -> Result<(), ErrorKind> {
        self.info.check(start, data.len())?;
        for (sector, offset) in data.chunks_exact(self.info.sector_size as usize).zip(self.offsets(start)) {
            A::block_write(self.handle, offset, sector).map_err(failed)?;
        }
        Ok(())
    }
}

/// A tender refuses only what was not checked, so whatever it says is the device's fault.
fn failed(_: Error) -> ErrorKind {
    ErrorKind::Device
}
