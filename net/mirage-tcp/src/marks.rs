//! Explicit congestion notification (RFC 3168): routers mark packets instead of dropping them, the receiver echoes the mark, and
//! the sender slows down as if something had been lost.

use mirage_clock::Instant;
use mirage_congestion::{Congestion as _, Signal};
use mirage_protocols::Ecn;

use crate::connection::Slot;
use crate::recovery::Phase;
use crate::wire::Flags;
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
/// Without marks, no value of the two bits is of interest.
const NOTHING: u8 = 0b1111;

impl Marks {
    pub(crate) const OFF: Self = Self(NOTHING);

    /// Marks on a connection where both ends understand them, or not.
    pub(crate) const fn agreed(on: bool) -> Self {
        // The first packet that may be marked is noted, and each that is.
        if on { Self(ON | 1 << Ecn::NotCapable as u8) } else { Self::OFF }
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
        self.is_on() && self.is_ordinary(Ecn::Capable0)
    }

    /// Whether our window was reduced and the peer has yet to hear of it.
    #[inline]
    pub(crate) fn has_news(self) -> bool {
        self.0 & REDUCED != 0
    }

    /// A packet came with data.
    fn on_arrival(&mut self, ecn: Ecn, reduced: bool) {
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
        if self.is_on() {
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

impl Config {
    /// Whether a connection understands marks whose peer asked for them in its SYN.
    pub(crate) fn accepts_marks<P: Profile>(&self) -> bool {
        P::MARKS && self.ecn != Marking::Never
    }
}

impl<P: Profile> Slot<P> {
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
    pub(crate) fn on_echo(&mut self, now: Instant) {
        if self.reduced_until.is_some() || self.recovery.phase != Phase::Open {
            return;
        }
        let flight = self.flight(self.pipe());
        self.congestion.on_congestion(now, Signal::Mark, &flight);
        self.reduced_until = Some(self.nxt);
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
