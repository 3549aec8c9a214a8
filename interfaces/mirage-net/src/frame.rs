//! Frames on their way in and out, with what the device did or shall do for them.

use core::num::NonZeroU16;

/// A frame lent by the device, from the first byte of the link header on.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The bytes. There may be more behind the packet (padding to 60 bytes, trailing garbage): the length fields
    /// inside govern.
    pub bytes: &'a [u8],
    /// What is known of the transport checksum inside.
    pub checksum: ReceivedChecksum,
    /// Set when the device merged several segments into this frame: the payload size of each.
    pub segment_size: Option<NonZeroU16>,
}

impl<'a> Frame<'a> {
    /// A frame as it came off a plain wire: nothing checked, nothing merged.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, checksum: ReceivedChecksum::Unchecked, segment_size: None }
    }
}

/// What is known of the TCP or UDP checksum of a frame that came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceivedChecksum {
    /// Nobody looked: the stack verifies.
    #[default]
    Unchecked,
    /// The device says that it is right.
    Verified,
    /// The packet never crossed a wire: its sender left only the pseudo-header's sum in the field
    /// (virtio's `NEEDS_CSUM`). There is nothing to verify.
    Partial,
}

/// What the device is asked to do with a frame that goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Length of the frame with its link header, in bytes: what the device reserves. The frame that leaves is
    /// what was written, never what was reserved.
    pub len: usize,
    /// Set when the device shall complete a checksum.
    pub checksum: Option<PartialChecksum>,
    /// Set when the device shall cut the payload into segments of this many bytes.
    pub segment_size: Option<NonZeroU16>,
}

impl Outgoing {
    /// A frame of `len` bytes that needs nothing from the device.
    pub const fn new(len: usize) -> Self {
        Self { len, checksum: None, segment_size: None }
    }
}

/// A checksum that is left for the device: it sums from `start` to the end of the packet and stores the result
/// `offset` bytes after `start`. The field already holds the pseudo-header's sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialChecksum {
    /// First byte to sum, counted from the first byte of the layer that names it; each layer below adds the
    /// length of its own header.
    pub start: u16,
    /// Where the result goes, counted from `start`.
    pub offset: u16,
}

impl PartialChecksum {
    /// The same place seen from a layer below whose header is `header` bytes long.
    #[must_use]
    pub const fn below(self, header: u16) -> Self {
        Self { start: self.start.saturating_add(header), offset: self.offset }
    }
}
