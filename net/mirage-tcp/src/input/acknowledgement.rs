//! What the peer acknowledges, and the window it offers.

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use crate::coarse::Later;
use crate::connection::{Slot, todo};
use crate::options::Heard;
use crate::recovery::News;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::wire::{Flags, Segment};
use crate::{Discard, Profile, State};

impl<P: Profile> Slot<P> {
    /// The peer offers another window.
    #[inline]
    pub(super) fn change_window(&mut self, resources: &mut Resources<'_>, now: Instant, window: u32) {
        self.window = window;
        self.max_window = self.max_window.max(window);
        if self.watch == Watch::Persist {
            self.leave_persist(resources, now);
        }
        if self.has_unsent() {
            self.todo |= todo::OUTPUT;
        }
    }

    /// A peer whose window was closed is alive: its user timeout starts anew, and what the new window allows goes out.
    #[cold]
    #[inline(never)]
    fn leave_persist(&mut self, resources: &Resources<'_>, now: Instant) {
        self.stuck_since = now;
        if self.window == 0 {
            return;
        }
        self.watch = Watch::Resend;
        self.resend_at = Instant::MAX;
        self.round_trip.reset_backoff();
        self.start_resend_timer(now, resources);
    }

    /// The acknowledgement of a segment whose number is acceptable (RFC 9293 §3.10.7.4, fifth; RFC 5961 §5).
    pub(super) fn take_ack(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        segment: &Segment<'_>,
        heard: &Heard,
    ) -> Result<(), Discard> {
        let ack = segment.ack;
        // RFC 5961 §5.2: "((SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT)". One that acknowledges what was never sent
        // moves nothing.
        if ack.after(self.nxt) || ack.before(self.una - self.max_window) {
            self.challenge(resources, now);
            return Err(Discard::BadAck);
        }
        if ack.before(self.una) {
            if P::SELECTIVE {
                self.take_old_blocks(resources, now, ack, heard);
            }
            return Ok(());
        }
        if self.watch == Watch::Persist {
            self.stuck_since = now;
        }
        let window = u32::from(segment.window) << self.send_scale;
        let unchanged = window == self.window;
        if self.window_seq.at_or_before(segment.seq) {
            self.window_seq = segment.seq;
            if !unchanged {
                self.change_window(resources, now, window);
            }
        }
        if P::MARKS && segment.flags.contains(Flags::ECE) && self.marks.is_on() && !self.marks.is_accurate() {
            self.on_echo(&mut resources.pool, now);
        }
        // RFC 5681 §2: a duplicate acknowledgement.
        let duplicate = ack == self.una && segment.len() == 0 && unchanged && self.in_flight() > 0 && window > 0;
        if ack != self.una || duplicate || (P::SELECTIVE && !heard.blocks.is_empty()) {
            let news = News { ack, echo: heard.echo(), duplicate };
            self.take_news(resources, now, &news, &heard.blocks);
        }
        if duplicate || self.has_unsent() {
            self.todo |= todo::OUTPUT;
        }
        if self.fin_acked() {
            self.on_fin_acked(resources, now);
        }
        Ok(())
    }

    /// An acknowledgement that was overtaken: what it tells of bytes behind SND.UNA is news all the same.
    fn take_old_blocks(&mut self, resources: &mut Resources<'_>, now: Instant, ack: SequenceNumber, heard: &Heard) {
        let mut blocks = heard.blocks;
        // What arrived twice is not told again.
        let _twice = blocks.take_twice(ack);
        blocks.clean(self.una, self.nxt);
        if !blocks.is_empty() {
            let news = News { ack: self.una, echo: heard.echo(), duplicate: false };
            self.take_news(resources, now, &news, &blocks);
        }
    }

    /// The peer has our FIN.
    #[inline(never)]
    pub(super) fn on_fin_acked(&mut self, resources: &mut Resources<'_>, now: Instant) {
        match self.state {
            State::FinWait1 => {
                self.state = State::FinWait2;
                if !self.held() {
                    self.linger(now, resources);
                }
            }
            State::Closing => self.state = State::TimeWait,
            // Nothing of it is left that `retire` does not clear.
            State::LastAck if P::STRAIGHT && !self.held() => {
                self.state = State::Closed;
                self.todo |= todo::END;
            }
            State::LastAck => self.end(resources, None),
            _ => {}
        }
    }

    /// Nobody holds the connection: it may not wait for its peer for ever.
    pub(crate) fn linger(&mut self, now: Instant, resources: &Resources<'_>) {
        if self.linger_at == Later::NEVER {
            self.linger_at = Later::after(now, resources.config.fin_wait_2);
            self.arm(self.linger_at.at(now));
        }
    }
}
