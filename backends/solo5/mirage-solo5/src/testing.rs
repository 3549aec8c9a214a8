//! Devices for targets that tests own.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::entry::{BLOCK, Entry, NAME, NET};
use crate::{Devices, Kind};

/// Attached devices of these names and kinds; the first has handle 1. The memory is never freed.
///
/// # Panics
/// When a name has more than 67 bytes, or there are more than 63 devices.
pub fn devices(attached: &[(&str, Kind)]) -> Devices {
    let mut entries = Vec::from([Entry::RESERVED]);
    entries.extend(attached.iter().map(|(name, kind)| {
        let mut entry = Entry::new(NET);
        assert!(name.len() < NAME, "a name has at most 67 bytes");
        entry.name[..name.len()].copy_from_slice(name.as_bytes());
        entry.attached = 1;
        match kind {
            Kind::Net { mac, mtu } => {
                entry.detail[..6].copy_from_slice(mac);
                entry.detail[6..8].copy_from_slice(&mtu.to_le_bytes());
            }
            Kind::Block { capacity, block_size } => {
                entry.kind = BLOCK;
                entry.detail[..8].copy_from_slice(&capacity.to_le_bytes());
                entry.detail[8..10].copy_from_slice(&block_size.to_le_bytes());
            }
        }
        entry
    }));
    Devices::from_entries(Box::leak(entries.into_boxed_slice()))
}
