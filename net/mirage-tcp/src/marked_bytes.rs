//! How many bytes came with which mark: the option of more accurate feedback (RFC 9768 §3.2.3).

use mirage_protocols::Ecn;

use crate::Profile;
use crate::connection::Slot;
use crate::marks::{DEAF, HEARD};
use crate::options::{MAX_OPTIONS, Options};

/// Payload of the peer's, counted by the mark it came with, and what the peer last said of ours. All modulo 2²⁴.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MarkedBytes {
    /// r.e0b, r.ceb and r.e1b, in the order of [`place`].
    received: [[u8; 3]; 3],
    /// s.ceb.
    told: [u8; 3],
}

/// Which of the counters counts it; unmarkable packets are not counted.
fn place(ecn: Ecn) -> Option<usize> {
    match ecn {
        Ecn::NotCapable => None,
        Ecn::Capable0 => Some(0),
        Ecn::Congested => Some(1),
        Ecn::Capable1 => Some(2),
    }
}

fn number(bytes: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

fn bytes(number: u32) -> [u8; 3] {
    let [_, bytes @ ..] = number.to_be_bytes();
    bytes
}

impl MarkedBytes {
    /// §3.2.1: where counting begins. What is cleared on the way is so told from what is counted.
    pub(crate) const NONE: Self = Self { received: [[0, 0, 1], [0; 3], [0, 0, 1]], told: [0; 3] };

    /// Payload came.
    pub(crate) fn on_arrival(&mut self, ecn: Ecn, len: usize) {
        if let Some(counter) = place(ecn).and_then(|place| self.received.get_mut(place)) {
            *counter = bytes(number(*counter).wrapping_add(len as u32));
        }
    }

    /// How much of the peer's payload came marked.
    pub(crate) fn received(&self) -> u32 {
        number(self.received[1])
    }

    /// How much of ours did, as far as the peer said.
    pub(crate) fn told(&self) -> u32 {
        number(self.told)
    }

    /// Whether there is more to tell than at the beginning.
    fn has_counted(&self) -> bool {
        self.received != Self::NONE.received
    }

    /// Whether the counters in front and behind have moved.
    fn moved(&self) -> (bool, bool) {
        let [e0, _, e1] = self.received;
        (e0 != Self::NONE.received[0], e1 != Self::NONE.received[2])
    }

    /// How many bytes the option takes.
    fn len(&self) -> u32 {
        let (e0, e1) = self.moved();
        if e0 == e1 && self.received[1] == [0; 3] || (e0 && e1) { LONG } else { SHORT }
    }

    /// The option; its first bytes, as many as the second value says. §3.2.3.3: "a field for every byte counter that has
    /// changed at some time during the connection", and, as long as none has, all of them.
    pub(crate) fn option(&self) -> ([u8; 12], usize) {
        let [e0, ce, e1] = self.received;
        let (kind, first, last) = if self.moved() == (false, true) { (ORDER_1, e1, e0) } else { (ORDER_0, e0, e1) };
        let mut option = [NOP; 12];
        let len = if self.len() == LONG { 11 } else { 8 };
        option[..2].copy_from_slice(&[kind, len]);
        for (place, field) in [first, ce, last].into_iter().enumerate() {
            option[2 + 3 * place..5 + 3 * place].copy_from_slice(&field);
        }
        (option, usize::from(len).next_multiple_of(4))
    }
}

/// What an option of the peer's says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    e0: Option<u32>,
    ce: Option<u32>,
    e1: Option<u32>,
}

impl Told {
    /// Reads it, if it is there. §3.2.3: fields at the end may be missing, and what is no whole field is padding.
    fn parse(options: &[u8]) -> Option<Self> {
        Options::new(options).find_map(|(kind, data)| {
            if !matches!(kind, ORDER_0 | ORDER_1) {
                return None;
            }
            let (fields, _padding) = data.as_chunks::<3>();
            let field = |place: usize| fields.get(place).map(|field| number(*field));
            let (first, last) = (field(0), field(2));
            let (e0, e1) = if kind == ORDER_0 { (first, last) } else { (last, first) };
            Some(Self { e0, ce: field(1), e1 })
        })
    }
}

impl<P: Profile> Slot<P> {
    /// Whether segments carry the option: once the peer's data has come with marks of any kind. Who only sends has nothing
    /// to tell, but for the end of the handshake and the first data, to see whether it gets through (§3.2.3.2.1).
    #[inline]
    pub(crate) fn tells_bytes(&self) -> bool {
        P::MARKS && self.marks.is_accurate() && (self.counters.bytes.has_counted() || self.nxt == self.iss + 1)
    }

    /// How many bytes of options the next segment has for it. §3.2.3.3: without room for all that changed there is none.
    #[inline]
    pub(crate) fn marked_space(&self) -> u32 {
        if !self.tells_bytes() {
            return 0;
        }
        let len = self.counters.bytes.len();
        let stamps = u32::from(self.stamps_len());
        let blocks = if P::SELECTIVE && self.selective() { self.sack_space() } else { 0 };
        if stamps + blocks + len > MAX_OPTIONS as u32 { 0 } else { len }
    }

    /// Takes the option in, if a segment carries it; whether it tells of marks that were not told of before.
    pub(crate) fn take_marked_bytes(&mut self, options: &[u8]) -> bool {
        let Some(told) = Told::parse(options).filter(|_| self.counters.flags & DEAF == 0) else { return false };
        if self.counters.flags & HEARD == 0 {
            self.counters.flags |= HEARD;
            // §3.2.3.2.4: no counter begins at zero. Something on the way clears it.
            if told.e0 == Some(0) || told.e1 == Some(0) {
                self.counters.flags |= DEAF;
                return false;
            }
        }
        let Some(ce) = told.ce else { return false };
        let news = ce.wrapping_sub(number(self.counters.bytes.told)) & 0xff_ffff;
        // Half of all numbers ahead is behind: an acknowledgement that was overtaken.
        if news == 0 || news > 0x7f_ffff {
            return false;
        }
        self.counters.bytes.told = bytes(ce);
        true
    }
}

/// RFC 9768 §7: AccECN0 and AccECN1, which differ in the order of their fields.
const ORDER_0: u8 = 172;
const ORDER_1: u8 = 174;
const NOP: u8 = 1;
/// The option with all of its fields, padded.
const LONG: u32 = 12;
/// The option with two of them.
const SHORT: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_is_twelve_bytes() {
        assert_eq!(size_of::<MarkedBytes>(), 12);
    }

    #[test]
    fn what_never_moved_is_left_out() {
        let mut counted = MarkedBytes::NONE;
        assert_eq!(counted.option(), ([172, 11, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1], 12));
        counted.on_arrival(Ecn::Capable1, 0x1_0203);
        counted.on_arrival(Ecn::NotCapable, 99);
        assert_eq!(counted.option().0[..8], [174, 8, 1, 2, 4, 0, 0, 0]);
        counted.on_arrival(Ecn::Congested, 5);
        assert_eq!(counted.option().0[..8], [174, 8, 1, 2, 4, 0, 0, 5]);
        assert_eq!(counted.option().1, 8);
        counted.on_arrival(Ecn::Capable0, 1);
        assert_eq!(counted.option(), ([172, 11, 0, 0, 2, 0, 0, 5, 1, 2, 4, 1], 12));
    }

    #[test]
    fn what_is_no_whole_field_is_padding() {
        let told = Told { e0: Some(1), ce: Some(2), e1: None };
        assert_eq!(Told::parse(&[172, 10, 0, 0, 1, 0, 0, 2, 9, 9]), Some(told));
        assert_eq!(Told::parse(&[172, 2]), Some(Told::default()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(counts: [u32; 3]) {
            let mut counted = MarkedBytes::NONE;
            for (ecn, count) in [Ecn::Capable0, Ecn::Congested, Ecn::Capable1].into_iter().zip(counts) {
                counted.on_arrival(ecn, count as usize);
            }
            let (option, len) = counted.option();
            prop_assert_eq!(len, counted.len() as usize);
            let told = Told::parse(&option[..len]).unwrap();
            let [e0, ce, e1] = counted.received.map(number);
            prop_assert_eq!(told.ce, Some(ce));
            prop_assert!(told.e0.is_none_or(|found| found == e0) && told.e1.is_none_or(|found| found == e1));
            prop_assert!(told.e0.is_some() || e0 == 1);
            prop_assert!(told.e1.is_some() || e1 == 1);
        }

        #[test]
        fn strange_options_are_no_panic(bytes: Vec<u8>) {
            let _ = Told::parse(&bytes);
        }
    }

    extern crate alloc;
    use alloc::vec::Vec;
}
