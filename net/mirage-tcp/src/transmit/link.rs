//! What the layers below take on the way to a peer.

use core::net::{IpAddr, Ipv4Addr};

use mirage_net::{ChecksumOffload, SegmentationOffload};
use mirage_protocols::Ip;

use super::{MAX_IP_PAYLOAD, our_mss};
use crate::wire::HEADER_LEN;

/// What the layers below take on the way to `remote`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) remote: IpAddr,
    /// The largest payload of a segment, options included; at least 1 where somebody was asked.
    pub(crate) mss: u16,
    /// Payload of the largest segment that the device cuts; 0 if it cuts none.
    pub(crate) large: u16,
    /// Whether the device completes checksums.
    pub(crate) partial_checksum: bool,
}

impl Link {
    /// To nobody.
    pub(crate) const NONE: Self =
        Self { remote: IpAddr::V4(Ipv4Addr::UNSPECIFIED), mss: 0, large: 0, partial_checksum: false };

    #[inline(never)]
    pub(super) fn ask(ip: &impl Ip, remote: IpAddr) -> Self {
        Self::ask_here(ip, remote)
    }

    /// The same in the place of the call.
    #[inline(always)]
    pub(super) fn ask_here(ip: &impl Ip, remote: IpAddr) -> Self {
        let capabilities = ip.capabilities(remote);
        let (checksum, segmentation) = match remote.is_ipv4() {
            true => (ChecksumOffload::TCP_V4, SegmentationOffload::TCP_V4),
            false => (ChecksumOffload::TCP_V6, SegmentationOffload::TCP_V6),
        };
        let partial_checksum = capabilities.checksum.contains(checksum);
        let large = match partial_checksum && capabilities.segmentation.contains(segmentation) {
            true => capabilities.max_large_frame.min(MAX_IP_PAYLOAD).saturating_sub(HEADER_LEN + 40) as u16,
            false => 0,
        };
        Self { remote, mss: our_mss(ip, remote).max(1), large, partial_checksum }
    }

    /// Whether it is known, and leads there.
    pub(crate) fn is_to(&self, remote: IpAddr) -> bool {
        self.mss > 0 && self.remote == remote
    }
}
