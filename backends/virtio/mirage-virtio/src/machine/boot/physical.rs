//! Memory as the loader left it.

/// What the loader's structures are read from.
pub(super) trait Memory {
    /// The `N` bytes at `address`; zeros for what is not there.
    fn bytes<const N: usize>(&self, address: u64) -> [u8; N];

    /// The 32 bits at `address`.
    fn u32(&self, address: u64) -> u32 {
        u32::from_le_bytes(self.bytes(address))
    }

    /// The 64 bits at `address`.
    fn u64(&self, address: u64) -> u64 {
        u64::from_le_bytes(self.bytes(address))
    }
}

/// The memory of the machine, where it is mapped: below 4 GiB.
#[derive(Debug)]
pub(super) struct Physical(());

impl Physical {
    /// The memory of the machine.
    ///
    /// # Safety
    /// All addresses below 4 GiB must be mapped: also the first page, where QEMU's start of a PC puts its map. What is read must
    /// not be changed through references meanwhile.
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Memory for Physical {
    fn bytes<const N: usize>(&self, address: u64) -> [u8; N] {
        let end = address.saturating_add(N as u64);
        match usize::try_from(address) {
            Ok(start) if start > 0 && end <= 1 << 32 => {
                // SAFETY: mapped, as `new` was promised; bytes have no alignment and any value will do.
                unsafe { core::ptr::with_exposed_provenance::<[u8; N]>(start).read_volatile() }
            }
            _ => [0; N],
        }
    }
}

#[cfg(test)]
pub(super) mod fake {
    //! Memory for tests.

    use super::Memory;
    use alloc::collections::BTreeMap;

    /// Memory that is zero but for what tests put there.
    #[derive(Default)]
    pub(in super::super) struct Fake(BTreeMap<u64, u8>);

    impl Fake {
        /// Puts `bytes` at `address`.
        pub(in super::super) fn put(&mut self, address: u64, bytes: &[u8]) {
            self.0.extend((address..).zip(bytes.iter().copied()));
        }
    }

    impl Memory for Fake {
        fn bytes<const N: usize>(&self, address: u64) -> [u8; N] {
            core::array::from_fn(|index| {
                address.checked_add(index as u64).and_then(|at| self.0.get(&at).copied()).unwrap_or(0)
            })
        }
    }
}
