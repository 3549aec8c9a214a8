//! Features of network devices by bit (Virtual I/O Device 1.2 §5.1.3).

/// The device completes checksums.
pub(crate) const CSUM: u64 = 1 << 0;
/// The driver takes frames whose checksum is not complete.
pub(crate) const GUEST_CSUM: u64 = 1 << 1;
/// The device says its MTU.
pub(crate) const MTU: u64 = 1 << 3;
/// The device has an address.
pub(crate) const MAC: u64 = 1 << 5;
/// The driver takes merged TCP segments.
pub(crate) const GUEST_TSO4: u64 = 1 << 7;
pub(crate) const GUEST_TSO6: u64 = 1 << 8;
/// The device cuts TCP segments.
pub(crate) const HOST_TSO4: u64 = 1 << 11;
pub(crate) const HOST_TSO6: u64 = 1 << 12;
/// A received frame may lie in several buffers.
pub(crate) const MRG_RXBUF: u64 = 1 << 15;
/// The device says whether the cable is in.
pub(crate) const STATUS: u64 = 1 << 16;
/// The device cuts UDP datagrams into several.
pub(crate) const HOST_USO: u64 = 1 << 56;

/// Where the configuration space has the address, the status and the MTU, in bytes.
pub(crate) const CONFIG_MAC: usize = 0;
pub(crate) const CONFIG_STATUS: usize = 6;
pub(crate) const CONFIG_MTU: usize = 10;
/// In the status: the cable is in.
pub(crate) const LINK_UP: u16 = 1;
