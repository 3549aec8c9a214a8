//! The virtio-net header before each frame (Virtual I/O Device 1.2 §5.1.6): what the other side shall do, or did.

use core::num::NonZeroU16;

use mirage_net::{Outgoing, PartialChecksum, ReceivedChecksum};

/// Length of the header in bytes, without `num_buffers`.
pub const LEN: usize = 10;

/// Length of the header in bytes with `num_buffers`, the number of buffers that a received frame lies in, at its end.
pub const LEN_WITH_BUFFERS: usize = 12;

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;

const GSO_NONE: u8 = 0;
const GSO_TCP_V4: u8 = 1;
const GSO_TCP_V6: u8 = 4;
const GSO_UDP: u8 = 5;
/// May stand beside any of the above.
const GSO_ECN: u8 = 0x80;

/// The header for a frame that goes out. `bytes`, from the link header on, are looked at only
/// where the other side shall cut them.
#[inline]
pub fn outgoing(frame: &Outgoing, bytes: &[u8]) -> [u8; LEN] {
    let mut header = [0; LEN];
    let Some(checksum) = frame.checksum else { return header };
    header[0] = NEEDS_CSUM;
    header[6..8].copy_from_slice(&checksum.start.to_le_bytes());
    header[8..10].copy_from_slice(&checksum.offset.to_le_bytes());
    if let Some(size) = frame.segment_size
        && let Some((kind, headers)) = segmentation(checksum, bytes)
    {
        header[1] = kind;
        header[2..4].copy_from_slice(&headers.to_le_bytes());
        header[4..6].copy_from_slice(&size.get().to_le_bytes());
    }
    header
}

/// What to cut and how many bytes of headers go before each piece.
fn segmentation(checksum: PartialChecksum, bytes: &[u8]) -> Option<(u8, u16)> {
    let transport = usize::from(checksum.start);
    // RFC 9293 §3.1 and RFC 768: the places of the checksum fields tell the protocols apart.
    match checksum.offset {
        16 => {
            let header = u16::from(bytes.get(transport + 12)? >> 4) * 4;
            let kind = if is_ipv6(bytes)? { GSO_TCP_V6 } else { GSO_TCP_V4 };
            Some((kind, checksum.start.saturating_add(header)))
        }
        6 => Some((GSO_UDP, checksum.start.saturating_add(8))),
        _ => None,
    }
}

/// Whether the packet behind the link header, and behind one tag, is of version 6.
fn is_ipv6(bytes: &[u8]) -> Option<bool> {
    let at = if bytes.get(12..14)? == [0x81, 0x00] { 16 } else { 12 };
    Some(bytes.get(at..at + 2)? == [0x86, 0xdd])
}

/// What the header of a frame that came in says: of its checksum, and of the segments that were merged into it.
#[inline]
pub fn received(header: &[u8; LEN]) -> (ReceivedChecksum, Option<NonZeroU16>) {
    let [flags, kind, _, _, low, high, ..] = *header;
    let checksum = match flags {
        _ if flags & NEEDS_CSUM != 0 => ReceivedChecksum::Partial,
        _ if flags & DATA_VALID != 0 => ReceivedChecksum::Verified,
        _ => ReceivedChecksum::Unchecked,
    };
    let size = if kind & !GSO_ECN == GSO_NONE { None } else { NonZeroU16::new(u16::from_le_bytes([low, high])) };
    (checksum, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(start: u16, offset: u16) -> Outgoing {
        Outgoing { checksum: Some(PartialChecksum { start, offset }), segment_size: NonZeroU16::new(1448), len: 0 }
    }

    #[test]
    fn a_plain_frame_has_a_header_of_zeroes() {
        assert_eq!(outgoing(&Outgoing::new(60), &[0; 60]), [0; LEN]);
    }

    #[test]
    fn a_large_tcp_frame_says_what_to_cut_and_what_to_repeat() {
        let mut bytes = [0; 100];
        bytes[12..14].copy_from_slice(&[8, 0]);
        bytes[34 + 12] = 8 << 4;
        assert_eq!(outgoing(&frame(34, 16), &bytes), [1, GSO_TCP_V4, 66, 0, 0xa8, 5, 34, 0, 16, 0]);
        bytes[12..14].copy_from_slice(&[0x86, 0xdd]);
        bytes[54 + 12] = 5 << 4;
        assert_eq!(outgoing(&frame(54, 16), &bytes)[1..4], [GSO_TCP_V6, 74, 0]);
        assert_eq!(outgoing(&frame(34, 6), &bytes)[1..4], [GSO_UDP, 42, 0]);
    }

    #[test]
    fn a_tag_before_the_packet_is_looked_behind() {
        let mut bytes = [0; 100];
        bytes[12..18].copy_from_slice(&[0x81, 0, 0, 7, 0x86, 0xdd]);
        assert_eq!(outgoing(&frame(58, 16), &bytes)[1], GSO_TCP_V6);
    }

    #[test]
    fn a_frame_too_short_for_its_own_headers_is_not_cut() {
        assert_eq!(outgoing(&frame(34, 16), &[0; 40])[..2], [NEEDS_CSUM, GSO_NONE]);
    }

    #[test]
    fn what_came_in_is_told_as_it_is() {
        let with = |flags, kind| received(&[flags, kind, 0, 0, 0xa8, 5, 0, 0, 0, 0]);
        assert_eq!(with(0, 0), (ReceivedChecksum::Unchecked, None));
        assert_eq!(with(DATA_VALID, GSO_ECN), (ReceivedChecksum::Verified, None));
        assert_eq!(with(NEEDS_CSUM, GSO_TCP_V4 | GSO_ECN), (ReceivedChecksum::Partial, NonZeroU16::new(1448)));
    }
}
