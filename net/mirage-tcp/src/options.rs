//! TCP options (RFC 9293 §3.1, RFC 7323, RFC 2018).

use mirage_protocols::Ecn;

use crate::Cookie;
use crate::marked_bytes::MarkedBytes;
use crate::marks::asks_accurately;
use crate::sack::Blocks;
use crate::wire::{Flags, Segment};

/// The options of a header one after the other, each as its kind and its bytes behind the length.
///
/// It ends at the end-of-list option and at the first option whose length makes no sense, so a stranger's bytes never
/// make it run long: each step consumes at least one.
#[derive(Clone, Debug)]
pub(crate) struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    /// The options in `bytes`, what lies between the header and the payload.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.rest {
                [] | [END, ..] => return None,
                [NOP, ref rest @ ..] => self.rest = rest,
                [kind, len, ref rest @ ..] => {
                    // RFC 9293 §3.1: the length counts the kind and itself, so 0 and 1 are bogus.
                    let Some((data, rest)) = usize::from(len).checked_sub(2).and_then(|len| rest.split_at_checked(len))
                    else {
                        self.rest = &[];
                        return None;
                    };
                    self.rest = rest;
                    return Some((kind, data));
                }
                [_] => return None,
            }
        }
    }
}

/// What the ends of a connection tell each other in their SYNs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SynOptions {
    /// Largest payload the sender takes in a segment (RFC 9293 §3.7.1), never zero.
    pub(crate) mss: Option<u16>,
    /// Places by which the sender's later windows are shifted (RFC 7323 §2), at most 14.
    pub(crate) window_scale: Option<u8>,
    /// The sender understands selective acknowledgments (RFC 2018).
    pub(crate) sack_permitted: bool,
    /// The sender's clock and its echo of ours (RFC 7323 §3).
    pub(crate) timestamps: Option<(u32, u32)>,
    /// The sender understands congestion marks: no option, but flags of the SYN (RFC 3168 §6.1.1).
    pub(crate) marks: bool,
    /// It asks for more accurate feedback of them (RFC 9768): how it arrived itself.
    pub(crate) accurate: Option<Ecn>,
}

impl SynOptions {
    /// What a SYN says that opens a connection.
    pub(crate) fn of(segment: &Segment<'_>) -> Self {
        // RFC 3168 §6.1.1: "A host MUST NOT set ECT on SYN or SYN-ACK packets"; who does speaks something else.
        let marks = segment.flags.contains(Flags::ECE | Flags::CWR) && segment.ecn == Ecn::NotCapable;
        Self { marks, accurate: asks_accurately(segment), ..Self::parse(segment.options) }
    }

    /// Reads the options of a SYN. Never fails: what makes no sense is ignored, and behind a bogus length nothing is
    /// read any more.
    #[inline(never)]
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut options = Self::default();
        for (kind, data) in Options::new(bytes) {
            match (kind, data) {
                (MSS, &[high, low]) if (high, low) != (0, 0) => options.mss = Some(u16::from_be_bytes([high, low])),
                // RFC 7323 §2.3: "the TCP SHOULD log the error but MUST use 14 instead of the specified value".
                (WINDOW_SCALE, &[shift]) => options.window_scale = Some(shift.min(MAX_WINDOW_SCALE)),
                (SACK_PERMITTED, []) => options.sack_permitted = true,
                (TIMESTAMPS, data) => options.timestamps = timestamps(data).or(options.timestamps),
                _ => {}
            }
        }
        options
    }

    /// Writes them in the order and with the padding of Linux, the one that middleboxes have seen most.
    pub(crate) fn emit(&self) -> Encoded {
        let mut encoded = Encoded::default();
        if let Some(mss) = self.mss {
            let [high, low] = mss.to_be_bytes();
            encoded.put(&[MSS, 4, high, low]);
        }
        match (self.sack_permitted, self.timestamps) {
            (true, Some((value, echo))) => {
                encoded.put(&[SACK_PERMITTED, 2]);
                encoded.put_timestamps(value, echo);
            }
            (true, None) => encoded.put(&[NOP, NOP, SACK_PERMITTED, 2]),
            (false, Some((value, echo))) => {
                encoded.put(&[NOP, NOP]);
                encoded.put_timestamps(value, echo);
            }
            (false, None) => {}
        }
        if let Some(shift) = self.window_scale {
            encoded.put(&[NOP, WINDOW_SCALE, 3, shift]);
        }
        encoded
    }
}

/// What a segment's options say once the connection is established.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// The sender's clock and its echo of ours, if this connection has timestamps.
    pub(crate) stamps: Option<(u32, u32)>,
    /// What the sender has out of order, if this connection tells.
    pub(crate) blocks: Blocks,
}

impl Heard {
    pub(crate) const NOTHING: Self = Self { stamps: None, blocks: Blocks::NONE };

    /// Reads what this connection understands: `with_stamps`, `selective`.
    #[inline(never)]
    pub(crate) fn parse(bytes: &[u8], with_stamps: bool, selective: bool) -> Self {
        let mut heard = Self::NOTHING;
        if with_stamps && let Some(stamps) = lone_stamps(bytes) {
            heard.stamps = Some(stamps);
            return heard;
        }
        for (kind, data) in Options::new(bytes) {
            match kind {
                TIMESTAMPS if with_stamps => heard.stamps = timestamps(data).or(heard.stamps),
                SACK if selective => heard.blocks = Blocks::parse(data),
                _ => {}
            }
        }
        heard
    }

    /// Our timestamp that it echoes.
    pub(crate) fn echo(&self) -> Option<u32> {
        self.stamps.map(|(_, echo)| echo)
    }
}

/// The value and the echo of a timestamps option that stands alone in the options, with the usual padding.
#[inline]
pub(crate) fn lone_stamps(bytes: &[u8]) -> Option<(u32, u32)> {
    let (start, rest) = bytes.split_first_chunk::<4>()?;
    if *start != [NOP, NOP, TIMESTAMPS, 10] {
        return None;
    }
    timestamps(rest)
}

/// The value and the echo of a timestamps option, if its length is right.
fn timestamps(data: &[u8]) -> Option<(u32, u32)> {
    let (value, echo) = data.split_first_chunk::<4>()?;
    let echo = <&[u8; 4]>::try_from(echo).ok()?;
    Some((u32::from_be_bytes(*value), u32::from_be_bytes(*echo)))
}

/// Options as they go on the wire, padded to a multiple of four bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoded {
    bytes: [u8; MAX_OPTIONS],
    /// Invariant: at most [`MAX_OPTIONS`], and a multiple of four between the public calls.
    len: u8,
}

impl Default for Encoded {
    fn default() -> Self {
        Self { bytes: [0; MAX_OPTIONS], len: 0 }
    }
}

impl Encoded {
    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Appends `bytes`, or leaves them out when the header has no room for them.
    fn put(&mut self, bytes: &[u8]) {
        let start = usize::from(self.len);
        if let Some(space) = self.bytes.get_mut(start..start + bytes.len()) {
            space.copy_from_slice(bytes);
            self.len += bytes.len() as u8;
        }
    }

    /// Appends what goes with segments of an established connection.
    pub(crate) fn put_heard(&mut self, stamps: Option<(u32, u32)>, blocks: &Blocks) {
        if let Some((value, echo)) = stamps {
            self.put_stamps(value, echo);
        }
        let blocks = blocks.as_slice();
        if !blocks.is_empty() {
            self.put(&[NOP, NOP, SACK, 2 + 8 * blocks.len() as u8]);
            for (start, end) in blocks {
                self.put(&start.0.to_be_bytes());
                self.put(&end.0.to_be_bytes());
            }
        }
    }

    /// Appends the counters of bytes that came marked, if there is room.
    pub(crate) fn put_marked(&mut self, marked: &MarkedBytes) {
        let (bytes, len) = marked.option();
        self.put(bytes.get(..len).unwrap_or_default());
    }

    /// Appends what data with a SYN needs.
    pub(crate) fn put_cookie(&mut self, cookie: &Cookie) {
        let (bytes, len) = cookie.option();
        self.put(bytes.get(..len).unwrap_or_default());
    }

    /// Appends timestamps with the usual padding.
    #[inline]
    pub(crate) fn put_stamps(&mut self, value: u32, echo: u32) {
        let mut bytes = [NOP, NOP, TIMESTAMPS, 10, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes[4..8].copy_from_slice(&value.to_be_bytes());
        bytes[8..].copy_from_slice(&echo.to_be_bytes());
        self.put(&bytes);
    }

    fn put_timestamps(&mut self, value: u32, echo: u32) {
        self.put(&[TIMESTAMPS, 10]);
        self.put(&value.to_be_bytes());
        self.put(&echo.to_be_bytes());
    }
}

/// RFC 9293 §3.1: a data offset of 15 words leaves this for options.
pub(crate) const MAX_OPTIONS: usize = 40;
/// RFC 7323 §2.3.
pub(crate) const MAX_WINDOW_SCALE: u8 = 14;

const END: u8 = 0;
const NOP: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn the_options_of_a_linux_syn_are_understood_and_written_alike() {
        let with_timestamps = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 8];
        let options = SynOptions::parse(&with_timestamps);
        assert_eq!(
            options,
            SynOptions {
                mss: Some(1460),
                window_scale: Some(8),
                sack_permitted: true,
                timestamps: Some((7, 9)),
                marks: false,
                accurate: None,
            }
        );
        assert_eq!(options.emit().as_slice(), with_timestamps);
        let without = [2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 8];
        assert_eq!(SynOptions::parse(&without).emit().as_slice(), without);
    }

    #[test]
    fn an_mss_of_zero_or_of_the_wrong_length_is_ignored() {
        assert_eq!(SynOptions::parse(&[2, 4, 0, 0]).mss, None);
        assert_eq!(SynOptions::parse(&[2, 3, 5, 1]).mss, None);
        assert_eq!(SynOptions::parse(&[2, 6, 5, 180, 0, 0]).mss, None);
    }

    #[test]
    fn a_bogus_length_ends_the_list_but_keeps_what_came_before() {
        for bogus in [0, 1, 40, 255] {
            let options = SynOptions::parse(&[2, 4, 5, 180, 3, bogus, 7, 4, 2]);
            assert_eq!(options, SynOptions { mss: Some(1460), ..SynOptions::default() }, "length {bogus}");
        }
    }

    #[test]
    fn nothing_is_read_behind_the_end_of_the_list() {
        assert_eq!(SynOptions::parse(&[0, 2, 4, 5, 180]), SynOptions::default());
    }

    #[test]
    fn unknown_options_are_stepped_over() {
        let options = SynOptions::parse(&[34, 4, 1, 2, 1, 253, 2, 2, 4, 5, 180]);
        assert_eq!(options.mss, Some(1460));
    }

    #[test]
    fn a_window_scale_over_14_counts_as_14() {
        assert_eq!(SynOptions::parse(&[3, 3, 255]).window_scale, Some(14));
    }

    #[test]
    fn a_lone_kind_at_the_end_is_ignored() {
        assert_eq!(Options::new(&[1, 1, 8]).count(), 0);
    }

    #[test]
    fn a_hundred_thousand_random_headers_end() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..100_000 {
            let mut bytes = [0; 40];
            for byte in &mut bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Small numbers are the interesting ones: kinds we know and lengths that fit.
                *byte = ((state >> 56) as u8) >> ((state >> 40) % 8);
            }
            assert!(Options::new(&bytes).take(41).count() <= 20);
            let options = SynOptions::parse(&bytes);
            assert_ne!(options.mss, Some(0));
            assert!(options.window_scale.is_none_or(|shift| shift <= 14));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            mss in proptest::option::of(1_u16..),
            window_scale in proptest::option::of(0_u8..=14),
            sack_permitted: bool,
            timestamps: Option<(u32, u32)>,
        ) {
            let options = SynOptions { mss, window_scale, sack_permitted, timestamps, marks: false, accurate: None };
            let encoded = options.emit();
            prop_assert_eq!(encoded.as_slice().len() % 4, 0);
            prop_assert_eq!(SynOptions::parse(encoded.as_slice()), options);
        }

        #[test]
        fn options_are_pieces_of_the_header(bytes: Vec<u8>) {
            let total: usize = Options::new(&bytes).map(|(_, data)| data.len() + 2).sum();
            prop_assert!(total <= bytes.len());
        }
    }
}
