//! Explicit congestion notification (RFC 3168): routers mark packets instead of dropping them, the receiver echoes the mark, and
//! the sender slows down as if something had been lost.

use mirage_clock::Instant;
use mirage_congestion::{Congestion as _, Signal};
use mirage_protocols::Ecn;

use crate::connection::Slot;
use crate::marked_bytes::MarkedBytes;
use crate::pool::Pool;
use crate::recovery::Phase;
use crate::wire::{Flags, Segment};
use crate::{Config, Profile};

/// Whether connections understand congestion marks (RFC 3168): Linux's `tcp_ecn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marking {
    /// No connection does.
    Never,
    /// Those whose peer asks for it do.
    #[default]
    Accept,
    /// We ask for it, too.
    Ask,
    /// We ask for more accurate feedback, and give it to those who ask (RFC 9768): how many packets were marked, not only that
    /// some were. The counter in the header's flags tells of packets, and an option tells of bytes: it takes 12 bytes of each
    /// segment to a peer that sends data.
    Accurate,
}

/// What one connection knows of marks.
///
/// The lower four bits say which values of the header's two are nothing to look at; the upper ones are those below.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks(u8);

/// Both ends understand marks.
const ON: u8 = 1 << 4;
/// A packet of the peer's was marked, and the peer has not said that it knows.
const ECHO: u8 = 1 << 5;
/// The peer is to be told that our window was reduced.
const REDUCED: u8 = 1 << 6;
/// The ends count marks (RFC 9768). `ECHO` then says that a packet came that might have been marked.
const ACCURATE: u8 = 1 << 7;
/// Without marks, no value of the two bits is of interest.
const NOTHING: u8 = 0b1111;

impl Marks {
    pub(crate) const OFF: Self = Self(NOTHING);

    /// Marks on a connection where both ends understand them, or not.
    pub(crate) const fn agreed(on: bool) -> Self {
        // The first packet that may be marked is noted, and each that is.
        if on { Self(ON | 1 << Ecn::NotCapable as u8) } else { Self::OFF }
    }

    /// Marks that both ends count. Each segment carries a counter, so none is ordinary.
    pub(crate) const ACCURATE: Self = Self(ON | ACCURATE);

    pub(crate) fn is_accurate(self) -> bool {
        self.0 & ACCURATE != 0
    }

    #[inline]
    pub(crate) fn is_on(self) -> bool {
        self.0 & ON != 0
    }

    /// Whether a packet with this in its header asks for nothing.
    #[inline]
    pub(crate) fn is_ordinary(self, ecn: Ecn) -> bool {
        self.0 >> ecn as u8 & 1 != 0
    }

    /// Whether a packet of the peer's said that it may be marked.
    pub(crate) fn seen(self) -> bool {
        match self.is_accurate() {
            true => self.0 & ECHO != 0,
            false => self.is_on() && self.is_ordinary(Ecn::Capable0),
        }
    }

    /// Whether our window was reduced and the peer has yet to hear of it.
    #[inline]
    pub(crate) fn has_news(self) -> bool {
        self.0 & REDUCED != 0
    }

    /// A packet came with data.
    fn on_arrival(&mut self, ecn: Ecn, reduced: bool) {
        if self.is_accurate() {
            self.0 |= if ecn == Ecn::NotCapable { 0 } else { ECHO };
            return;
        }
        if reduced {
            self.0 &= !ECHO;
        }
        if ecn != Ecn::NotCapable {
            self.0 |= 1 << Ecn::Capable0 as u8 | 1 << Ecn::Capable1 as u8;
        }
        if ecn == Ecn::Congested {
            self.0 |= ECHO;
        }
    }

    /// The window was reduced, for whatever reason.
    pub(crate) fn on_reduced(&mut self) {
        if self.is_on() && !self.is_accurate() {
            self.0 |= REDUCED;
        }
    }

    /// The peer was told.
    pub(crate) fn on_told(&mut self) {
        self.0 &= !REDUCED;
    }

    /// What goes with a segment, which carries data that was never sent before (`fresh`) or not.
    pub(crate) fn flags(self, fresh: bool) -> Flags {
        let mut flags = Flags::empty();
        flags.set(Flags::ECE, self.0 & ECHO != 0);
        flags.set(Flags::CWR, fresh && self.has_news());
        flags
    }
}

/// The counters of a connection whose ends count marks (RFC 9768 §3.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    /// Marked packets that came, modulo 8 (r.cep).
    received: u8,
    /// What the peer last said of ours (s.cep).
    told: u8,
    /// What our first segment behind the handshake says instead, in the lowest three bits; 0 for nothing. And those below.
    pub(crate) flags: u8,
    pub(crate) bytes: MarkedBytes,
}

/// The first segment of the peer says how our SYN-ACK arrived.
const FIRST: u8 = 1 << 7;
/// The peer's option came at least once.
pub(crate) const HEARD: u8 = 1 << 6;
/// It is not believed.
pub(crate) const DEAF: u8 = 1 << 5;
/// What a segment says instead of the counter.
const INSTEAD: u8 = 0b111;
/// RFC 9768 §3.2.1: where counting begins.
const START: u8 = 5;

impl Counters {
    pub(crate) const NONE: Self = Self { received: START, told: START, flags: 0, bytes: MarkedBytes::NONE };
}

/// How the SYN or SYN-ACK arrived, as the answer says it (RFC 9768 §3.1.1, table 2).
const fn arrival_code(ecn: Ecn) -> u8 {
    match ecn {
        Ecn::NotCapable => 0b010,
        Ecn::Capable1 => 0b011,
        Ecn::Capable0 => 0b100,
        Ecn::Congested => 0b110,
    }
}

/// Three bits of a header: the bit beside the flags, and two flags.
pub(crate) fn field(bits: u8) -> (Flags, bool) {
    let mut flags = Flags::empty();
    flags.set(Flags::CWR, bits & 2 != 0);
    flags.set(Flags::ECE, bits & 1 != 0);
    (flags, bits & 4 != 0)
}

/// What a header says in these bits.
fn field_of(segment: &Segment<'_>) -> u8 {
    let flag = |flag| u8::from(segment.flags.contains(flag));
    u8::from(segment.accurate) << 2 | flag(Flags::CWR) << 1 | flag(Flags::ECE)
}

/// Whether a SYN asks for more accurate feedback; then how it arrived.
pub(crate) fn asks_accurately(segment: &Segment<'_>) -> Option<Ecn> {
    (field_of(segment) == 0b111).then_some(segment.ecn)
}

impl Config {
    /// What our SYN-ACK says to such a SYN, if we count marks.
    pub(crate) fn accurate_answer<P: Profile>(&self, syn: Option<Ecn>) -> Option<u8> {
        syn.filter(|_| P::MARKS && self.ecn == Marking::Accurate).map(arrival_code)
    }

    /// Whether our SYNs ask for marks.
    pub(crate) fn asks_for_marks<P: Profile>(&self) -> bool {
        P::MARKS && matches!(self.ecn, Marking::Ask | Marking::Accurate)
    }

    /// Whether a connection understands marks whose peer asked for them in its SYN.
    pub(crate) fn accepts_marks<P: Profile>(&self) -> bool {
        P::MARKS && self.ecn != Marking::Never
    }
}

impl<P: Profile> Slot<P> {
    /// The SYN-ACK came that answers our SYN, which `asked` for marks if it was the first.
    pub(crate) fn learn_marks(&mut self, config: &Config, segment: &Segment<'_>, asked: bool) {
        let bits = field_of(segment);
        self.marks = match bits {
            // RFC 9768 §3.1.1, table 2.
            0b010 | 0b011 | 0b100 | 0b110 if asked && config.ecn == Marking::Accurate => Marks::ACCURATE,
            // RFC 3168 §6.1.1: ECE without CWR.
            0b001 | 0b101 => Marks::agreed(asked),
            _ => Marks::OFF,
        };
        if self.marks.is_accurate() {
            let received = START + u8::from(segment.ecn == Ecn::Congested);
            self.counters = Counters { received, flags: arrival_code(segment.ecn), ..Counters::NONE };
            self.take_marked_bytes(segment.options);
        }
    }

    /// A connection through a listener counts marks.
    pub(crate) fn accept_accurate(&mut self) {
        self.marks = Marks::ACCURATE;
        self.counters = Counters { flags: FIRST, ..Counters::NONE };
    }

    /// The counter that the next segment carries.
    pub(crate) fn next_field(&mut self) -> (Flags, bool) {
        let first = self.counters.flags & INSTEAD;
        self.counters.flags &= !INSTEAD;
        field(if first > 0 { first } else { self.counters.received & 7 })
    }

    /// A segment came whose number is acceptable: `count` packets, as they were sent.
    #[inline(never)]
    pub(crate) fn take_counter(&mut self, pool: &mut Pool<'_>, now: Instant, segment: &Segment<'_>, count: u32) {
        self.marks.on_arrival(segment.ecn, false);
        if segment.ecn == Ecn::Congested {
            self.counters.received = self.counters.received.wrapping_add(count as u8) & 7;
            // RFC 9768 §3.2.2.5.1: marks are told of soon. What is out of order is acknowledged anyway.
            if segment.seq == self.rcv_nxt {
                self.acknowledge();
            }
        }
        self.counters.bytes.on_arrival(segment.ecn, segment.payload.len());
        if segment.ack.before(self.una) {
            return;
        }
        let more = self.take_marked_bytes(segment.options);
        let bits = field_of(segment);
        if self.counters.flags & FIRST != 0 {
            self.counters.flags &= !FIRST;
            match bits {
                // RFC 9768 §3.2.2.1: something on the way clears the bits.
                0 => self.marks = Marks::OFF,
                0b110 => {
                    self.counters.told = START + 1;
                    self.on_echo(pool, now);
                }
                _ => {}
            }
            return;
        }
        // The counter alone may have come round; bytes do not so fast.
        if core::mem::replace(&mut self.counters.told, bits) != bits || more {
            self.on_echo(pool, now);
        }
    }

    /// A segment with data came.
    #[inline(never)]
    pub(crate) fn note_marks(&mut self, ecn: Ecn, flags: Flags) {
        self.marks.on_arrival(ecn, flags.contains(Flags::CWR));
        if ecn == Ecn::Congested {
            self.acknowledge();
        }
    }

    /// The peer echoes a mark: the window is reduced, but only once for what is under way (RFC 3168 §6.1.2: "TCP should not
    /// react to congestion indications more than once every window of data").
    #[inline(never)]
    pub(crate) fn on_echo(&mut self, pool: &mut Pool<'_>, now: Instant) {
        if self.is_reduced(pool) || self.recovery.phase != Phase::Open {
            return;
        }
        let flight = self.flight(pool, self.pipe());
        self.congestion.on_congestion(now, Signal::Mark, &flight);
        let under_way = pool.under_way_mut(self.send.head());
        (under_way.reduced, under_way.reduced_until) = (true, self.nxt.0);
        self.marks.on_reduced();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_byte() {
        assert_eq!(size_of::<Marks>(), 1);
    }

    #[test]
    fn without_agreement_nothing_is_looked_at() {
        for ecn in [Ecn::NotCapable, Ecn::Capable0, Ecn::Capable1, Ecn::Congested] {
            assert!(Marks::OFF.is_ordinary(ecn));
        }
        assert!(!Marks::OFF.seen());
    }

    #[test]
    fn the_first_packet_that_may_be_marked_is_looked_at_and_each_that_is() {
        let mut marks = Marks::agreed(true);
        assert!(marks.is_ordinary(Ecn::NotCapable) && !marks.is_ordinary(Ecn::Capable0) && !marks.seen());
        marks.on_arrival(Ecn::Capable0, false);
        assert!(marks.is_ordinary(Ecn::Capable0) && !marks.is_ordinary(Ecn::Congested) && marks.seen());
    }
}
