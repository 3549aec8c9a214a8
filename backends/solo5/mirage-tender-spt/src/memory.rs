//! The memory of the guest: its addresses are those of this process.

use std::io;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};

use crate::elf::{Access, Segment};

/// The lowest address that is mapped. One page stays free before what the tender writes.
pub(crate) const START: usize = 0x1_0000;

/// Memory from [`START`] to `end`, zero at first, readable and writable, never executable but for code segments.
///
/// It is never unmapped: the process becomes the guest, or ends.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Invariant: at the address [`START`], and readable and writable for `len` bytes but where a segment was loaded.
    base: *mut u8,
    /// In whole pages.
    len: usize,
}

impl Memory {
    /// Maps the addresses `START..end`; `end` in whole pages.
    ///
    /// # Errors
    /// The kernel's, among them `EEXIST` when something of this process lies there, and `EPERM` when
    /// `vm.mmap_min_addr` forbids it.
    pub(crate) fn map(end: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE;
        let start = core::ptr::without_provenance_mut(START);
        let len = end.checked_sub(START).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: FIXED_NOREPLACE fails where anything is mapped, so no memory that is in use changes.
        let base = unsafe { mmap_anonymous(start, len, access, flags) }?;
        if base.addr() != START {
            // A kernel before 4.17 knows no FIXED_NOREPLACE and takes the address for a hint.
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(Self { base: base.cast(), len })
    }

    /// How far behind the base `address` lies, if `len` bytes from there are inside.
    fn offset(&self, address: usize, len: usize) -> Option<usize> {
        let offset = address.checked_sub(START)?;
        (offset <= self.len && len <= self.len - offset).then_some(offset)
    }

    /// Copies `bytes` to `address`, where no segment was loaded.
    ///
    /// # Panics
    /// When they are not wholly inside.
    pub(crate) fn write(&mut self, address: usize, bytes: &[u8]) {
        let offset = self.offset(address, bytes.len()).expect("the caller has compared with the memory's end");
        // SAFETY: `bytes.len()` bytes from `offset` on are inside and writable, and no reference to them exists; `bytes` is
        // memory of this process that was there before, so they do not overlap.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.add(offset), bytes.len()) };
    }

    /// Copies a segment to its place and takes away what it does not ask for.
    ///
    /// # Panics
    /// When it is not wholly inside.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn load(&mut self, segment: &Segment<'_>) -> io::Result<()> {
        let [start, address, end] = [segment.start, segment.address, segment.end].map(|number| number as usize);
        let (len, inside) = (end - start, "the caller has compared with the memory's end");
        let offset = self.offset(start, len).expect(inside);
        self.write(address, segment.bytes);
        let access = match segment.access {
            Access::Read => MprotectFlags::READ,
            Access::Write => MprotectFlags::READ | MprotectFlags::WRITE,
            Access::Execute => MprotectFlags::READ | MprotectFlags::EXEC,
        };
        // SAFETY: `len` bytes from `offset` on are whole pages inside, no reference to them exists, and `write` is not for
        // them any more.
        unsafe { mprotect(self.base.add(offset).cast(), len, access) }?;
        Ok(())
    }
}
