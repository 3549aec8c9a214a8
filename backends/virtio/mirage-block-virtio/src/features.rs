//! Features of block devices by bit, and their configuration space (Virtual I/O Device 1.2 §5.2.3, §5.2.4).

/// A piece of memory has a largest size.
pub(crate) const SIZE_MAX: u64 = 1 << 1;
/// The device takes no writes.
pub(crate) const RO: u64 = 1 << 5;
/// The device says its sector size.
pub(crate) const BLK_SIZE: u64 = 1 << 6;
/// The device can be told to keep what was written.
pub(crate) const FLUSH: u64 = 1 << 9;
/// The device can be told that sectors are not needed.
pub(crate) const DISCARD: u64 = 1 << 13;

/// Places in the configuration space, in bytes.
pub(crate) const CONFIG_CAPACITY: usize = 0;
pub(crate) const CONFIG_SIZE_MAX: usize = 8;
pub(crate) const CONFIG_BLK_SIZE: usize = 20;
pub(crate) const CONFIG_MAX_DISCARD_SECTORS: usize = 36;
