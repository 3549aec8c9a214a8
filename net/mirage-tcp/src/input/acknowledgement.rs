//! What the peer acknowledges, and the window it offers.

use mirage_clock::Instant;

use crate::congestion::{Reaction, Sender};
use crate::connection::{Slot, todo};
use crate::resources::Resources;
use crate::wire::Segment;
use crate::{Discard, State};

impl Slot {
    /// What the congestion controller is told.
    pub(crate) fn sender(&self) -> Sender {
        Sender { una: self.una, max: self.max, limited: self.congestion_limited }
    }

    /// `acked` numbers more are acknowledged, at least one and no more than are under way.
    pub(super) fn on_new_ack(&mut self, resources: &mut Resources<'_>, now: Instant, acked: u32) {
        // A number behind the queue is that of our FIN.
        let bytes = acked.min(self.send.len());
        self.send.acked(&mut resources.pool, bytes);
        self.una += acked;
        if self.nxt.before(self.una) {
            self.nxt = self.una;
        }
        if bytes < acked {
            self.fin_acked = true;
        }
        if self.timed_at != Instant::MAX && self.una.at_or_after(self.timed_end) {
            self.round_trip.sample(now.since(self.timed_at), resources.config.min_rto);
            self.timed_at = Instant::MAX;
        }
        self.round_trip.reset_backoff();
        if self.congestion.on_ack(acked, self.sender()) == Reaction::Retransmit {
            self.resend_first = true;
            self.todo |= todo::OUTPUT;
        }
        self.stuck_since = now;
        self.persist = false;
        self.resend_at = Instant::MAX;
        if self.state != State::FinWait2 {
            // Progress: a peer that nobody but us waits for has its time anew.
            self.linger_at = Instant::MAX;
        }
        if self.in_flight() > 0 {
            // RFC 6298 §5.3.
            self.start_resend_timer(now, resources.config.max_rto);
        } else {
            self.resend_first = false;
        }
        if self.send.len() <= resources.config.send_buffer / 2 {
            resources.wakers.wake(&mut self.writers);
        }
        resources.relieve();
    }

    /// The peer offers another window.
    pub(super) fn change_window(&mut self, now: Instant, window: u32) {
        self.window = window;
        self.max_window = self.max_window.max(window);
        if self.persist {
            // It is alive: its user timeout starts anew, and what the new window allows goes out.
            self.stuck_since = now;
            if window > 0 {
                self.persist = false;
                self.resend_at = Instant::MAX;
                self.round_trip.reset_backoff();
            }
        }
        if self.has_unsent() {
            self.todo |= todo::OUTPUT;
        }
    }

    /// The acknowledgement of a segment whose number is acceptable (RFC 9293 §3.10.7.4, fifth; RFC 5961 §5).
    pub(super) fn take_ack(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        segment: &Segment<'_>,
    ) -> Result<(), Discard> {
        let ack = segment.ack;
        // RFC 5961 §5.2: "((SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT)". One that acknowledges what was never sent
        // moves nothing.
        if ack.after(self.max) || ack.before(self.una - self.max_window) {
            self.challenge(resources, now);
            return Err(Discard::BadAck);
        }
        if ack.before(self.una) {
            return Ok(());
        }
        if self.persist {
            self.stuck_since = now;
        }
        let window = u32::from(segment.window) << self.send_scale;
        let unchanged = window == self.window;
        if self.window_seq.at_or_before(segment.seq) {
            self.window_seq = segment.seq;
            if !unchanged {
                self.change_window(now, window);
            }
        }
        let acked = ack.since(self.una);
        if acked > 0 {
            self.on_new_ack(resources, now, acked);
        } else if segment.len() == 0 && unchanged && self.in_flight() > 0 && window > 0 {
            // RFC 5681 §2: a duplicate acknowledgement.
            if self.congestion.on_duplicate_ack(self.sender()) == Reaction::Retransmit {
                self.resend_first = true;
                self.timed_at = Instant::MAX;
            }
            self.todo |= todo::OUTPUT;
        }
        if self.has_unsent() {
            self.todo |= todo::OUTPUT;
        }
        if self.fin_acked {
            self.on_fin_acked(resources, now);
        }
        Ok(())
    }

    /// The peer has our FIN.
    fn on_fin_acked(&mut self, resources: &mut Resources<'_>, now: Instant) {
        match self.state {
            State::FinWait1 => {
                self.state = State::FinWait2;
                if !self.held {
                    self.linger(now, resources);
                }
            }
            State::Closing => self.state = State::TimeWait,
            State::LastAck => self.end(resources, None),
            _ => {}
        }
    }

    /// Nobody holds the connection: it may not wait for its peer for ever.
    pub(crate) fn linger(&mut self, now: Instant, resources: &Resources<'_>) {
        if self.linger_at == Instant::MAX {
            self.linger_at = now + resources.config.fin_wait_2;
            self.arm(self.linger_at);
        }
    }
}
