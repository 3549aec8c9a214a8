//! A SYN with data, or with a cookie that lets it have some (RFC 7413 §4.2).

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use crate::connection::{Slot, todo};
use crate::demux::Found;
use crate::fast_open::Cookie;
use crate::half_open::HalfOpenSlot;
use crate::resources::Resources;
use crate::wire::{Flags, Segment};
use crate::{Discard, Profile, State, Tcp};

/// What comes of a SYN at a listener.
pub(super) enum Verdict {
    /// An ordinary handshake.
    Ordinary,
    /// The same, and the SYN-ACK carries a cookie.
    Grant(Cookie),
    /// The connection is open at once.
    Open,
}

impl<P: Profile> Tcp<'_, P> {
    /// Whether a listener may take data with a SYN.
    pub(super) fn takes_data(&self, listener: u32) -> bool {
        self.listeners.get(listener as usize).is_some_and(|door| door.fast_open.is_some())
    }

    /// What such a listener makes of a SYN (RFC 7413 §4.2.2).
    #[inline(never)]
    pub(super) fn judge_syn(&self, listener: u32, handshake: &HalfOpenSlot, segment: &Segment<'_>) -> Verdict {
        let Some(fast_open) = self.listeners.get(listener as usize).and_then(|door| door.fast_open) else {
            return Verdict::Ordinary;
        };
        let room = self.resources.fast_open_pending < fast_open.pending;
        let asked = Cookie::parse(segment.options);
        if fast_open.without_cookie && !segment.payload.is_empty() && room {
            return Verdict::Open;
        }
        let Some(asked) = asked else { return Verdict::Ordinary };
        let cookie = fast_open.cookie(&handshake.tuple, asked.experimental);
        match cookie == asked {
            true if room => Verdict::Open,
            true => Verdict::Ordinary,
            false => Verdict::Grant(cookie),
        }
    }

    /// Opens a connection whose peer has yet to acknowledge our SYN: it waits to be accepted, with what came with the SYN.
    pub(super) fn open_at_once(
        &mut self,
        now: Instant,
        handshake: &HalfOpenSlot,
        segment: &Segment<'_>,
    ) -> Result<(), Discard> {
        let index = self.take_slot().ok_or(Discard::Overloaded)?;
        let Tcp { connections, listeners, resources, beginning, .. } = self;
        let Some(slot) = connections.get_mut(index as usize) else { return Err(Discard::Overloaded) };
        let Some(door) = listeners.get(handshake.listener.index as usize) else { return Err(Discard::Overloaded) };
        slot.accept(now, handshake, (&door.options, beginning), resources);
        slot.set_unconfirmed(true);
        slot.set_syn_due(true);
        resources.fast_open_pending += 1;
        // The window in a SYN is never scaled.
        slot.change_window(resources, now, segment.window.into());
        slot.window_seq = segment.seq;
        slot.set_syn_data(!segment.payload.is_empty());
        let full = segment.payload.len().min(0xffff) as u16;
        let taken = slot.take_text(resources, now, segment.seq + 1, segment.payload, false, full);
        slot.todo |= todo::OUTPUT;
        self.count_peer(index);
        self.link_latest(Found::Connection(index));
        self.enqueue_accepted(index, handshake.listener.index);
        self.settle(index);
        taken
    }
}

impl<P: Profile> Slot<P> {
    /// The peer has our SYN: nothing more can be wrong with its address.
    pub(super) fn confirm(&mut self, resources: &mut Resources<'_>, now: Instant, window: u32) {
        self.set_unconfirmed(false);
        self.set_syn_due(false);
        resources.fast_open_pending -= 1;
        resources.stats.accepted += 1;
        if self.syns == 1 {
            let rtt = now.since(self.heard_at);
            self.round_trip.sample_seldom(rtt, resources.config.min_rto);
            self.recovery.reordering.on_rtt(now, rtt);
        }
        self.round_trip.reset_backoff();
        self.change_window(resources, now, window);
        self.start_resend_timer(now, resources);
    }

    /// Whether a segment is the SYN of this connection once more: our answer was lost.
    pub(super) fn is_syn_again(&self, segment: &Segment<'_>) -> bool {
        let ahead = self.rcv_nxt.since(segment.seq);
        self.unconfirmed()
            && segment.flags.intersection(Flags::SYN | Flags::ACK | Flags::RST) == Flags::SYN
            && (1..=LONGEST_SYN).contains(&ahead)
    }

    /// Whether the state is one in which the peer may not exist.
    pub(crate) fn is_opening(&self) -> bool {
        self.unconfirmed() || matches!(self.state, State::SynSent | State::SynReceived)
    }

    /// Where what is under way begins, our SYN included.
    pub(crate) fn first_unsure(&self) -> SequenceNumber {
        if self.unconfirmed() { self.una - 1 } else { self.una }
    }
}

/// The most numbers a SYN with data can have.
const LONGEST_SYN: u32 = 65_536;
