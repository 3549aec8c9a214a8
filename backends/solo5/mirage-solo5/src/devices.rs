//! The devices that the tender attached.

use crate::entry::{self, Entry};
use crate::handle::Handle;
use crate::manifest;

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A network device.
    Net {
        /// Its hardware address.
        mac: [u8; 6],
        /// Largest payload after the link header, in bytes.
        mtu: u16,
    },
    /// A block device.
    Block {
        /// Its size in bytes.
        capacity: u64,
        /// The size of a block in bytes.
        block_size: u16,
    },
}

/// The manifest as the tender gave it back: which devices there are.
#[derive(Clone, Copy, Debug)]
pub struct Devices {
    /// Invariant: at most 64.
    entries: &'static [Entry],
}

impl Devices {
    /// No devices.
    pub const NONE: Self = Self { entries: &[] };

    /// Reads the tender's copy of the manifest. One that is none, or of another version, has no devices.
    ///
    /// # Safety
    /// `manifest` is null or points to a manifest that is never changed: a `u32` version, a `u32` number of entries, and
    /// the entries.
    pub(crate) unsafe fn from_manifest(manifest: *const u8) -> Self {
        let header = manifest.cast::<[u32; 2]>();
        if header.is_null() || !manifest.cast::<Entry>().is_aligned() {
            return Self::NONE;
        }
        // SAFETY: by contract two `u32` are there; alignment was looked at.
        let [version, entries] = unsafe { header.read() };
        let entries = entries as usize;
        if version != manifest::VERSION || entries > Handle::MOST {
            return Self::NONE;
        }
        // SAFETY: by contract as many entries follow and do not change; any bytes are an `Entry`; 8 bytes on, the
        // alignment is the same.
        Self { entries: unsafe { core::slice::from_raw_parts(header.add(1).cast(), entries) } }
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) const fn from_entries(entries: &'static [Entry]) -> Self {
        assert!(entries.len() <= Handle::MOST);
        Self { entries }
    }

    /// The device of the name `name`; `None` when the manifest has none or the tender did not attach it.
    pub fn find(&self, name: &str) -> Option<(Handle, Kind)> {
        let index = self.entries.iter().position(|entry| entry.is_attached_as(name))?;
        let (handle, entry) = (Handle::new(index)?, self.entries.get(index)?);
        let kind = if entry.kind == entry::NET {
            Kind::Net { mac: entry.mac(), mtu: entry.mtu() }
        } else {
            Kind::Block { capacity: entry.capacity(), block_size: entry.block_size() }
        };
        Some((handle, kind))
    }

    /// What the tender says of a device of this kind.
    pub(crate) fn entry(&self, handle: Handle, kind: u32) -> Option<&'static Entry> {
        self.entries.get(handle.index()).filter(|entry| entry.kind == kind && entry.attached != 0)
    }

    /// Places in the manifest: one more than the highest handle.
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    use super::*;

    /// A manifest of `words` behind this version and number of entries.
    fn manifest(version: u32, entries: u32, words: &[u64]) -> *const u8 {
        let mut manifest = Vec::from([u64::from(version) | u64::from(entries) << 32]);
        manifest.extend_from_slice(words);
        Box::leak(manifest.into_boxed_slice()).as_ptr().cast()
    }

    #[test]
    fn what_is_no_manifest_has_no_devices() {
        let words = [0; 13 * 65];
        let aligned = manifest(1, 1, &words);
        let none = [
            core::ptr::null(),
            manifest(2, 1, &words),
            manifest(0, 1, &words),
            manifest(1, 65, &words),
            manifest(1, u32::MAX, &words),
            aligned.wrapping_add(4),
        ];
        for manifest in none {
            // SAFETY: nothing behind the header is looked at, and that is there.
            assert_eq!(unsafe { Devices::from_manifest(manifest) }.len(), 0);
        }
        // SAFETY: there are as many entries.
        assert_eq!(unsafe { Devices::from_manifest(manifest(1, 64, &words)) }.len(), 64);
    }

    #[test]
    fn a_name_that_does_not_end_is_found_by_no_name() {
        let words = [u64::from_le_bytes(*b"aaaaaaaa"); 13];
        // SAFETY: there is one entry.
        let devices = unsafe { Devices::from_manifest(manifest(1, 1, &words)) };
        for len in 0..200 {
            assert_eq!(devices.find(&"a".repeat(len)), None);
        }
    }
}
