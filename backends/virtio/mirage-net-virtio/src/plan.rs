//! What is agreed on with a device, and how large everything is.

use mirage_net::{Capabilities, ChecksumOffload, SegmentationOffload};
use mirage_virtio_header::{LEN, LEN_WITH_BUFFERS};
use mirage_virtqueue::{ANY_LAYOUT, EVENT_INDEX, VERSION_1};

use crate::features::{
    CSUM, GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, HOST_TSO4, HOST_TSO6, HOST_USO, MAC, MRG_RXBUF, MTU, STATUS,
};
use crate::{Error, Options};

/// Link header and a tag that may stand in it.
const LINK: usize = 14 + 4;
/// Longest frame that a device cuts.
const LARGE: usize = 65_535;
/// Longest frame that a device merges: a packet of 64 KiB behind its link header.
const MERGED: usize = 65_535 + LINK;
/// Longest buffer where a frame may lie in several.
const BUFFER: usize = 2_048;
/// Most buffers for frames that arrive, and most frames that wait to leave.
const MOST: usize = 256;
/// Sizes are multiples of this, so that no two buffers share a line of the cache.
pub(crate) const ALIGN: usize = 64;

/// What is agreed on with a device, and how large everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) features: u64,
    /// Length of the header before each frame.
    pub(crate) header: usize,
    /// The header needs a descriptor of its own.
    pub(crate) header_apart: bool,
    pub(crate) mtu: usize,
    /// Longest frame that is not cut.
    pub(crate) whole: usize,
    /// Longest frame that comes in.
    pub(crate) longest_received: usize,
    /// How long a receive buffer is, and how many there are.
    pub(crate) buffer: usize,
    pub(crate) buffers: u16,
    pub(crate) capabilities: Capabilities,
}

impl Plan {
    /// From what the device offers, its MTU, the descriptors of its receive queue, and what the caller gives.
    pub(crate) fn new(offered: u64, mtu: Option<u16>, queue: u32, options: &Options) -> Result<Self, Error> {
        let has = |feature: u64| offered & feature == feature;
        let mut features = offered & (VERSION_1 | EVENT_INDEX | ANY_LAYOUT | MAC | MTU | STATUS | MRG_RXBUF);
        // §5.1.6.6: devices before version 1 without this want the header alone.
        let header_apart = features & (VERSION_1 | ANY_LAYOUT) == 0;
        let header = if features & (VERSION_1 | MRG_RXBUF) == 0 { LEN } else { LEN_WITH_BUFFERS };
        // IPv4 needs 576 bytes; an MTU below is a mistake of who configured it.
        let mtu = usize::from(mtu.unwrap_or(1_500)).max(576);
        let whole = mtu + LINK;

        let one = (header + whole).next_multiple_of(ALIGN);
        let buffer = if has(MRG_RXBUF) { one.min(BUFFER) } else { one };
        let buffers = (options.receive_bytes / buffer).min(MOST);
        if buffers * buffer < 2 * one || options.transmit_bytes < 2 * one {
            return Err(Error::TooLittleMemory);
        }
        let buffers = buffers.min(queue as usize / if header_apart { 2 } else { 1 });

        let mut capabilities = Capabilities::default();
        let mut longest_received = whole;
        if options.offloads && has(CSUM) {
            features |= CSUM;
            capabilities.checksum = ChecksumOffload::all();
            let large = (options.transmit_bytes / 2 / ALIGN * ALIGN).saturating_sub(header).min(LARGE);
            if large >= 4 * whole {
                features |= offered & (HOST_TSO4 | HOST_TSO6 | HOST_USO);
                capabilities.segmentation.set(SegmentationOffload::TCP_V4, has(HOST_TSO4));
                capabilities.segmentation.set(SegmentationOffload::TCP_V6, has(HOST_TSO6));
                capabilities.segmentation.set(SegmentationOffload::UDP, has(HOST_USO));
            }
            if !capabilities.segmentation.is_empty() {
                capabilities.max_large_frame = large;
            }
        }
        if options.offloads && has(GUEST_CSUM) {
            features |= GUEST_CSUM;
            // Without merged buffers each would have to be of 64 KiB; and one frame may lie there while the next comes.
            if has(MRG_RXBUF) && buffers * buffer >= 2 * LARGE {
                features |= offered & (GUEST_TSO4 | GUEST_TSO6);
            }
            if features & (GUEST_TSO4 | GUEST_TSO6) != 0 {
                longest_received = MERGED.max(whole);
            }
        }
        Ok(Self {
            features,
            header,
            header_apart,
            mtu,
            whole,
            longest_received,
            buffer,
            buffers: buffers as u16,
            capabilities,
        })
    }

    /// How many descriptors a frame takes.
    pub(crate) fn pieces(&self) -> u16 {
        1 + u16::from(self.header_apart)
    }

    /// Most frames that wait to leave.
    pub(crate) fn frames(&self, options: &Options) -> u16 {
        (options.transmit_bytes / 256).clamp(16, MOST) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = CSUM
        | GUEST_CSUM
        | MTU
        | MAC
        | GUEST_TSO4
        | GUEST_TSO6
        | HOST_TSO4
        | HOST_TSO6
        | MRG_RXBUF
        | STATUS
        | EVENT_INDEX
        | VERSION_1;

    fn plan(offered: u64, options: Options) -> Plan {
        Plan::new(offered, None, 256, &options).expect("enough memory")
    }

    #[test]
    fn a_modern_device_is_taken_with_all_it_has() {
        let plan = plan(ALL | 1 << 40, Options::default());
        assert_eq!(plan.features, ALL);
        assert_eq!((plan.header, plan.buffer, plan.buffers), (12, 1_536, 170));
        assert_eq!(plan.capabilities.max_large_frame, 65_535);
    }

    #[test]
    fn a_plain_legacy_device_has_the_short_header_alone() {
        let plan = plan(MAC, Options::default());
        assert_eq!((plan.header, plan.header_apart, plan.pieces()), (10, true, 2));
        assert_eq!(plan.capabilities, Capabilities::default());
        assert!(!Plan::new(MAC | ANY_LAYOUT, None, 256, &Options::default()).expect("enough").header_apart);
    }

    #[test]
    fn merged_segments_need_merged_buffers_and_memory() {
        assert_eq!(plan(ALL & !MRG_RXBUF, Options::default()).features & (GUEST_TSO4 | GUEST_TSO6), 0);
        let little = Options { receive_bytes: 64 * 1024, ..Options::default() };
        assert_eq!(plan(ALL, little).features & (GUEST_TSO4 | GUEST_TSO6), 0);
        assert_eq!(plan(ALL, little).longest_received, 1_518);
        let few = Plan::new(ALL, None, 16, &Options::default()).expect("enough memory");
        assert_eq!((few.features & (GUEST_TSO4 | GUEST_TSO6), few.buffers), (0, 16));
        assert_eq!(plan(ALL & !GUEST_CSUM, Options::default()).features & (GUEST_TSO4 | GUEST_TSO6), 0);
    }

    #[test]
    fn little_memory_cuts_little_and_too_little_is_told() {
        let little = Options { transmit_bytes: 16 * 1024, ..Options::default() };
        assert_eq!(plan(ALL, little).capabilities.max_large_frame, 8_192 - 12);
        let less = Options { transmit_bytes: 4 * 1024, ..Options::default() };
        assert_eq!(plan(ALL, less).capabilities.segmentation, SegmentationOffload::empty());
        for options in
            [Options { transmit_bytes: 3_000, ..Options::default() }, Options { receive_bytes: 3_000, ..less }]
        {
            assert_eq!(Plan::new(ALL, None, 256, &options), Err(Error::TooLittleMemory));
        }
    }

    #[test]
    fn the_mtu_is_the_devices() {
        let jumbo = |offered| Plan::new(offered, Some(9_000), 256, &Options::default()).expect("enough");
        assert_eq!((jumbo(ALL).mtu, jumbo(ALL).buffer), (9_000, 2_048));
        assert_eq!(jumbo(ALL & !MRG_RXBUF).buffer, 9_088);
        assert_eq!(Plan::new(ALL, Some(1), 256, &Options::default()).expect("enough").mtu, 576);
    }

    #[test]
    fn without_offloads_nothing_is_taken_over() {
        let plan = plan(ALL, Options { offloads: false, ..Options::default() });
        assert_eq!(plan.features, VERSION_1 | EVENT_INDEX | MAC | MTU | STATUS | MRG_RXBUF);
        assert_eq!(plan.capabilities, Capabilities::default());
    }
}
