//! What the peer sends: bytes, and the end of them.

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use crate::connection::Slot;
use crate::receive_queue::Limits;
use crate::resources::Resources;
use crate::{Discard, Profile, State};

impl<P: Profile> Slot<P> {
    /// Takes in bytes that lie inside the window; `full` is the payload of the segments they came in. Gives how many of
    /// them had no room.
    pub(super) fn take_data(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        seq: SequenceNumber,
        payload: &[u8],
        full: u16,
    ) -> u32 {
        let limits = Limits {
            bytes: resources.config.out_of_order_bytes,
            ranges: resources.config.out_of_order_ranges,
            held: self.send.blocks(),
        };
        let holes = self.receive.ooo_bytes(&resources.pool);
        let inserted = match P::HOLES {
            true => self.receive.insert(&mut resources.pool, self.rcv_nxt, seq, payload, &limits),
            false => self.receive.insert_next(&mut resources.pool, seq == self.rcv_nxt, payload),
        };
        self.rcv_nxt += inserted.advanced;
        // RFC 5681 §4.2: each segment out of order is acknowledged. Those that came in one batch would be with one segment,
        // and the peer waits for three.
        if inserted.advanced > 0 {
            self.repeats = 0;
        } else if P::HOLES && self.ack_now() && self.receive.ooo_bytes(&resources.pool) > holes {
            self.repeats = (self.repeats + 1).min(3);
        }
        if P::SELECTIVE && self.selective() {
            self.note_arrival(resources, seq, payload, &inserted);
        }
        if inserted.advanced > 0 {
            resources.wakers.wake(&mut self.readers);
        }
        if full > self.receive_mss {
            self.receive_mss = full.min(self.mss.max(self.receive_mss));
        }
        // RFC 5681 §4.2: at once when something is out of order, when it fills a hole, and after two full segments.
        let unordinary = inserted.advanced as usize != payload.len() || holes > 0;
        self.note_data(now);
        if unordinary || self.quick_acks > 0 || self.rcv_nxt.since(self.acked_to) >= 2 * u32::from(self.receive_mss) {
            self.acknowledge();
            if P::TUNING && self.tuning.is_due(self.rcv_nxt) {
                self.tune(now, resources);
            }
        } else {
            self.acknowledge_soon(resources, now);
        }
        inserted.dropped
    }

    /// `len` bytes in order were stored while nothing waited behind a hole.
    #[inline(always)]
    pub(super) fn take_ordered(&mut self, resources: &mut Resources<'_>, now: Instant, len: u32, full: u16) {
        self.rcv_nxt += len;
        self.repeats = 0;
        resources.wakers.wake(&mut self.readers);
        if full > self.receive_mss {
            self.receive_mss = full.min(self.mss.max(self.receive_mss));
        }
        self.note_data(now);
        if self.quick_acks > 0 || self.rcv_nxt.since(self.acked_to) >= 2 * u32::from(self.receive_mss) {
            if !self.ack_now() {
                // Once for all that come in one batch.
                self.acknowledge();
            }
            if P::TUNING && self.tuning.is_due(self.rcv_nxt) {
                self.tune(now, resources);
            }
        } else {
            self.acknowledge_soon(resources, now);
        }
    }

    /// Lets an acknowledgement wait for data to ride on.
    pub(super) fn acknowledge_soon(&mut self, resources: &Resources<'_>, now: Instant) {
        if self.ack_at == Instant::MAX {
            self.ack_at = now + resources.config.delayed_ack;
            self.arm(self.ack_at);
        }
    }

    /// The payload and FIN of a segment whose number is acceptable (RFC 9293 §3.10.7.4, seventh and eighth).
    pub(super) fn take_text(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        mut seq: SequenceNumber,
        mut payload: &[u8],
        fin: bool,
        full: u16,
    ) -> Result<(), Discard> {
        if !self.state.may_receive() {
            return Ok(());
        }
        let end = seq + payload.len() as u32;
        if fin && !self.fin_early() && end.at_or_before(self.rcv_end) {
            self.set_fin_early(true);
            self.fin_at = end;
        }
        // What lies before the next number was taken before; what lies behind the window or the end is not taken.
        let old = self.rcv_nxt.signed_since(seq).max(0) as u32;
        if old > 0 {
            self.note_twice(seq, if end.before(self.rcv_nxt) { end } else { self.rcv_nxt });
        }
        payload = payload.get(old as usize..).unwrap_or_default();
        seq += old;
        let limit = if self.fin_early() && self.fin_at.before(self.rcv_end) { self.fin_at } else { self.rcv_end };
        let room = limit.signed_since(seq).max(0) as usize;
        let cut = payload.len() > room;
        payload = payload.get(..room).unwrap_or(payload);
        let mut result = Ok(());
        if !payload.is_empty() {
            if self.read_shut() {
                self.throw_away(seq, payload);
            } else if self.take_data(resources, now, seq, payload, full) > 0 {
                result = Err(Discard::NoRoom);
            }
        } else if old > 0 || cut || fin {
            self.acknowledge();
        }
        if self.fin_early() && self.fin_at == self.rcv_nxt {
            self.take_fin(resources);
        }
        result
    }

    /// Nobody reads any more: acknowledges bytes in order and forgets them.
    fn throw_away(&mut self, seq: SequenceNumber, payload: &[u8]) {
        if seq == self.rcv_nxt {
            self.rcv_nxt += payload.len() as u32;
        }
        self.acknowledge();
    }

    /// The peer's FIN is next in order.
    pub(super) fn take_fin(&mut self, resources: &mut Resources<'_>) {
        self.set_fin_early(false);
        self.set_ended(true);
        self.rcv_nxt += 1;
        self.rcv_end = self.rcv_end.latest(self.rcv_nxt);
        self.acknowledge();
        resources.wakers.wake(&mut self.readers);
        self.state = match self.state {
            State::Established => State::CloseWait,
            // Our end will acknowledge theirs: the peer closes first, and as RFC 9293 §3.6 has it, only who does needs to wait.
            State::FinWait1 if !self.fin_acked() && self.nxt.since(self.una) <= self.send.len() => State::LastAck,
            State::FinWait1 => State::Closing,
            State::FinWait2 => State::TimeWait,
            state => state,
        };
    }
}
