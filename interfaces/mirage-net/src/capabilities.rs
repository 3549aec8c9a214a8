//! What a device can take over from the stack.

use bitflags::bitflags;

bitflags! {
    /// Checksums the device completes on the way out, by protocol.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ChecksumOffload: u8 {
        /// TCP over IPv4.
        const TCP_V4 = 1;
        /// UDP over IPv4.
        const UDP_V4 = 2;
        /// TCP over IPv6.
        const TCP_V6 = 4;
        /// UDP over IPv6.
        const UDP_V6 = 8;
    }
}

bitflags! {
    /// Large packets the device cuts on the way out, by protocol.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct SegmentationOffload: u8 {
        /// TCP over IPv4 (TSO).
        const TCP_V4 = 1;
        /// TCP over IPv6.
        const TCP_V6 = 2;
        /// UDP (USO).
        const UDP = 4;
    }
}

/// What a device can take over. The default is a plain device that takes over nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Checksums it completes.
    pub checksum: ChecksumOffload,
    /// Packets it cuts; such a frame carries [`Outgoing::segment_size`](crate::Outgoing::segment_size).
    pub segmentation: SegmentationOffload,
    /// Largest frame it takes with `segment_size` set, link header included; 0 where it cuts nothing.
    pub max_large_frame: usize,
}
