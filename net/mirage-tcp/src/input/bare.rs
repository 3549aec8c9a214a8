//! The segments without data that end a usual connection, each in one straight line.

use mirage_checksum::{SequenceNumber, Sum};
use mirage_clock::Instant;
use mirage_protocols::{Cast, Received};

use super::opening::is_valid;
use crate::connection::Slot;
use crate::facts::Facts;
use crate::recovery::Phase;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::wire::{Flags, STAMPED_LEN, STAMPS, word};
use crate::{Discard, Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// A segment as long as a header with timestamps.
    // By itself, so that the compiler has registers for it.
    #[inline(never)]
    pub(super) fn input_bare(&mut self, now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        let fin = received.payload.get(13).is_some_and(|flags| flags & Flags::FIN.bits() != 0);
        if !fin && self.connections.get(self.last as usize).is_some_and(|slot| slot.state == State::Established) {
            // An acknowledgement, most likely.
            return self.input_any(now, received);
        }
        self.resources.again.len = 0;
        let known = received.cast == Cast::Unicast
            && self.connections.get(self.last as usize).is_some_and(|slot| slot.tuple.is_of(received));
        if !known {
            match self.find_connection(now, received) {
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.resources.stats.segments_in += 1;
                    return Ok(());
                }
                Err(reason) => {
                    self.resources.stats.segments_in += 1;
                    self.discards.count(reason);
                    return Err(reason);
                }
            }
        }
        let index = self.last;
        let Some(slot) = self.connections.get_mut(index as usize) else { return Ok(()) };
        match slot.input_bare(&mut self.resources, now, received) {
            None => return self.input_any(now, received),
            Some(Then::Settle) => self.settle_here(index),
            Some(Then::Remember) => self.enter_time_wait(now, index),
            Some(Then::Retire) => self.retire(index),
        }
        self.resources.stats.segments_in += 1;
        self.check(index);
        Ok(())
    }
}

/// What is left to do with a connection.
enum Then {
    /// What any method has.
    Settle,
    /// To remember it: both ends are closed, and ours is acknowledged.
    Remember,
    /// To end it: both ends are acknowledged.
    Retire,
}

impl<P: Profile> Slot<P> {
    /// Takes in the peer's FIN, if nothing of ours is under way, or what acknowledges our FIN after the peer's or with it, for a
    /// connection that nobody holds. `None` when anything is unusual, and then nothing was done. What it does is what
    /// [`input_fast`](Self::input_fast) would do.
    #[inline(always)]
    fn input_bare(&mut self, resources: &mut Resources<'_>, now: Instant, received: &Received<'_>) -> Option<Then> {
        let header = <&[u8; STAMPED_LEN]>::try_from(received.payload).ok()?;
        let word = |at| word(header, at);
        let (seq, ack, control, value) = (SequenceNumber(word(4)), SequenceNumber(word(8)), word(12), word(24));
        let fin = control & FIN != 0;
        let then = match (self.state, fin) {
            (State::Established | State::FinWait1, true) if self.nxt == self.una => Then::Settle,
            (State::FinWait1, true) if self.is_ended_by(ack) => Then::Remember,
            (State::LastAck, false) if self.is_ended_by(ack) => Then::Retire,
            _ => return None,
        };
        let usual = control & !(FIN | 0xffff) == BARE
            && word(20) == STAMPS
            && seq == self.rcv_nxt
            && ack == self.nxt
            && !self.facts.intersects(Facts::HEARS_UNUSUALLY)
            && !self.receive.has_holes()
            && self.recovery.phase == Phase::Open
            && self.watch != Watch::Persist
            && self.stamps.is_on()
            && (!P::MARKS || self.marks.is_ordinary(received.ecn))
            && !self.stamps.is_old(now, value);
        if !usual || !is_valid(&self.tuple, received, Sum::of_array(header)) {
            return None;
        }
        match then {
            Then::Settle => {
                self.hear(now);
                if self.window_seq.at_or_before(seq) {
                    self.window_seq = seq;
                    let window = (control & 0xffff) << self.send_scale;
                    if window != self.window {
                        self.change_window(resources, now, window);
                    }
                }
            }
            Then::Remember => {
                self.una = ack;
                self.set_fin_acked(true);
            }
            Then::Retire => {
                self.una = ack;
                self.state = State::Closed;
                return Some(then);
            }
        }
        self.stamps.keep(now, value, seq, self.acked_to);
        self.take_fin(resources);
        if matches!(then, Then::Remember) {
            self.state = State::TimeWait;
        }
        Some(then)
    }

    /// Whether `ack` acknowledges our FIN, and with it all that there ever was to send, and nobody holds the connection.
    #[inline(always)]
    fn is_ended_by(&self, ack: SequenceNumber) -> bool {
        self.fin_queued() && !self.held() && ack.since(self.una) == self.send.len() + 1
    }
}

/// Where FIN stands in the fourth word of a header.
const FIN: u32 = (Flags::FIN.bits() as u32) << 16;
/// What this word says of an acknowledgement with timestamps alone, beside the window.
pub(super) const BARE: u32 = (STAMPED_LEN as u32 / 4) << 28 | (Flags::ACK.bits() as u32) << 16;
