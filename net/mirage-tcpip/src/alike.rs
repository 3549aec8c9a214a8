//! Frames that are like the one before: most of a stream that comes in batches.

use core::num::NonZeroU16;

use mirage_net::{Frame, FrameId, ReceivedChecksum};
use mirage_tcp::InFrame;

/// The last frame that went straight to TCP: what Ethernet and IPv4 found in its headers they would find again.
///
/// They look at nothing but these bytes, their addresses and their configuration. Whoever changes those
/// [forgets](Self::forget) it, and so does whoever hands TCP a segment that came on another way.
#[derive(Debug)]
pub(crate) struct Alike {
    /// How long its segment was; more than any is for none.
    len: usize,
    /// Its headers but for [`CHANGING`] and the checksum, in words.
    words: [u64; 4],
    /// Its identification and its checksum, added: with the same of everything else the header is valid.
    sum: u16,
    /// What its device had done for it.
    checksum: ReceivedChecksum,
    /// 0 for none.
    segment_size: u16,
}

impl Alike {
    pub(crate) const NONE: Self =
        Self { len: NO_LEN, words: [0; 4], sum: 0, checksum: ReceivedChecksum::Unchecked, segment_size: 0 };

    /// Whether `frame` is long enough to be like the last one.
    #[inline(always)]
    pub(crate) const fn may_be(frame: &Frame<'_>) -> bool {
        frame.bytes.len() >= LEAST
    }

    /// The segment in `frame` if all before it, and all that comes with it, is as it was in the last one.
    #[inline(always)]
    pub(crate) fn segment<'f>(&self, frame: &Frame<'f>) -> Option<&'f [u8]> {
        let headers = frame.bytes.first_chunk()?;
        if frame.checksum != self.checksum || size(frame) != self.segment_size {
            return None;
        }
        if differ(words(headers), self.words) != 0 || sum(headers) != self.sum {
            return None;
        }
        frame.bytes.get(HEADERS..)?.get(..self.len)
    }

    /// Where such a segment lies in a frame.
    #[inline]
    pub(crate) const fn in_frame(frame: FrameId) -> InFrame {
        InFrame { frame, offset: HEADERS as u16 }
    }

    /// Remembers `frame`, which went straight to TCP, if it is long enough for more like it to follow.
    #[inline]
    pub(crate) fn remember(&mut self, frame: &Frame<'_>, segment: usize) {
        if Self::may_be(frame)
            && let Some(headers) = frame.bytes.first_chunk()
        {
            let (words, sum) = (words(headers), sum(headers));
            *self = Self { len: segment, words, sum, checksum: frame.checksum, segment_size: size(frame) };
        }
    }

    /// What was remembered holds no more.
    #[inline]
    pub(crate) fn forget(&mut self) {
        self.len = NO_LEN;
    }
}

/// Bytes before the segment: an Ethernet header without a tag, an IPv4 header without options.
const HEADERS: usize = 34;
/// What is shorter is seldom followed by more like it, and TCP looks at each of them.
const LEAST: usize = 512;
/// No slice is that long.
const NO_LEN: usize = usize::MAX;
/// The identification, in the third word.
const CHANGING: u64 = u64::from_ne_bytes([0, 0, 0xff, 0xff, 0, 0, 0, 0]);

/// How long the segments are that the device merged, or 0.
#[inline(always)]
fn size(frame: &Frame<'_>) -> u16 {
    frame.segment_size.map_or(0, NonZeroU16::get)
}

/// The headers in words: all but the checksum of IPv4, which lies between the third and the fourth, and its identification.
#[inline(always)]
fn words(headers: &[u8; HEADERS]) -> [u64; 4] {
    [word(headers, 0), word(headers, 8), word(headers, 16) & !CHANGING, word(headers, HEADERS - 8)]
}

/// Where they differ. One by one and in registers: put together in memory they would have to be waited for.
#[inline(always)]
fn differ([a, b, c, d]: [u64; 4], [e, f, g, h]: [u64; 4]) -> u64 {
    (a ^ e) | (b ^ f) | (c ^ g) | (d ^ h)
}

#[inline(always)]
fn word(headers: &[u8; HEADERS], at: usize) -> u64 {
    headers.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_ne_bytes(*word))
}

/// The identification and the checksum, added as RFC 1071 does.
#[inline(always)]
fn sum(headers: &[u8; HEADERS]) -> u16 {
    let half = |at: usize| headers.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |half| u16::from_ne_bytes(*half));
    let (sum, carry) = half(18).overflowing_add(half(24));
    sum.wrapping_add(carry.into())
}

#[cfg(test)]
mod tests {
    use mirage_checksum::Sum;

    use super::*;

    /// A frame of 600 bytes with a valid header of IPv4.
    fn frame(identification: u16) -> [u8; 600] {
        let mut bytes = [0x5a; 600];
        bytes[12..24].copy_from_slice(&[8, 0, 0x45, 0, 2, 0x4a, 0, 0, 0x40, 0, 64, 6]);
        bytes[18..20].copy_from_slice(&identification.to_be_bytes());
        bytes[24..26].fill(0);
        let checksum = Sum::of(&bytes[14..34]).finish();
        bytes[24..26].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    fn plain(bytes: &[u8]) -> Frame<'_> {
        Frame { bytes, checksum: ReceivedChecksum::Unchecked, segment_size: None }
    }

    fn after(bytes: &[u8]) -> Alike {
        let mut alike = Alike::NONE;
        alike.remember(&plain(bytes), 566);
        alike
    }

    #[test]
    fn another_identification_makes_no_difference_and_no_other_bit_may() {
        let alike = after(&frame(7));
        for identification in [0, 7, 0x1234, 0xffff] {
            let bytes = frame(identification);
            assert_eq!(alike.segment(&plain(&bytes)), Some(&bytes[34..]));
            for bit in 0..34 * 8 {
                let mut other = bytes;
                other[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(alike.segment(&plain(&other)), None, "bit {bit}");
            }
        }
    }

    #[test]
    fn what_follows_the_packet_is_not_of_it_and_what_is_cut_is_not_like_it() {
        let (bytes, alike) = (frame(7), after(&frame(7)));
        assert_eq!(alike.segment(&plain(&[&bytes[..], &[0; 4]].concat())), Some(&bytes[34..]));
        assert_eq!(alike.segment(&plain(&bytes[..599])), None);
        assert_eq!(alike.segment(&plain(&bytes[..20])), None);
    }

    #[test]
    fn what_a_device_has_done_more_or_less_for_is_not_like_it() {
        let bytes = frame(7);
        let size = NonZeroU16::new;
        let kinds =
            [ReceivedChecksum::Unchecked, ReceivedChecksum::Verified, ReceivedChecksum::Partial].map(|checksum| {
                [None, size(500), size(501)].map(|segment_size| Frame { checksum, segment_size, bytes: &bytes })
            });
        for (last, next) in kinds.iter().flatten().flat_map(|last| kinds.iter().flatten().map(move |next| (last, next)))
        {
            let mut alike = Alike::NONE;
            alike.remember(last, 566);
            let same = (last.checksum, last.segment_size) == (next.checksum, next.segment_size);
            assert_eq!(alike.segment(next).is_some(), same, "{last:?} {next:?}");
        }
    }

    #[test]
    fn at_first_afterwards_and_behind_short_frames_nothing_is() {
        let bytes = frame(7);
        assert_eq!(Alike::NONE.segment(&plain(&bytes)), None);
        let mut alike = after(&bytes);
        alike.remember(&plain(&frame(7)[..LEAST - 1]), 400);
        assert!(alike.segment(&plain(&bytes)).is_some(), "a short one changes nothing");
        alike.forget();
        assert_eq!(alike.segment(&plain(&bytes)), None);
    }
}
