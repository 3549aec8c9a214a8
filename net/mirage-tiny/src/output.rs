//! What leaves, and when (RFC 9293 §3.8).

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use mirage_net::{SendError, Transmit};
use mirage_stack::ErrorKind;
use zerocopy::IntoBytes as _;

use crate::Count;
use crate::connection::{BREATH, NEVER, Slot, State};
use crate::input::Bare;
use crate::lower::{Lower, Packet};
use crate::tcp::{FAREWELL, NONE, Parts, Tcp};
use crate::wire::{self, ACK, FIN, PSH, RST, SYN, TCP};

/// What a connection sends next.
struct Plan {
    sequence: SequenceNumber,
    /// Bytes of the outbox, from `at` on.
    at: u32,
    len: u32,
    flags: u8,
}

impl Tcp<'_> {
    /// Sends what waits, at most `budget` segments; whether there may be more.
    ///
    /// # Errors
    /// When the device has no room.
    pub(crate) fn transmit<T: Transmit>(
        &mut self,
        now: Instant,
        lower: &mut Lower<'_>,
        device: &mut T,
        budget: usize,
    ) -> Result<bool, SendError> {
        self.now = now;
        for _ in 0..budget {
            if self.first == NONE {
                return Ok(false);
            }
            if !self.transmit_one(now, lower, device)? {
                self.pop();
            }
        }
        Ok(self.first != NONE)
    }

    /// Sends a segment of the first in the queue; whether there was one.
    fn transmit_one<T: Transmit>(
        &mut self,
        now: Instant,
        lower: &mut Lower<'_>,
        device: &mut T,
    ) -> Result<bool, SendError> {
        let (index, room) = (self.first, self.room);
        let Some(Parts { slot, outbox, .. }) = self.parts(index) else { return Ok(false) };
        let Some(plan) = slot.plan() else {
            if slot.is_open() && slot.timer == NEVER {
                if slot.outbox.len > slot.next.since(slot.una) {
                    // The window is closed, or too small to bother: ask later.
                    slot.progress = now;
                    slot.start_timer(now);
                } else if slot.end_acknowledged && !slot.owned {
                    slot.timer = now.saturating_add(FAREWELL);
                }
            }
            let deadline = slot.deadline();
            self.due = self.due.min(deadline);
            return Ok(false);
        };
        let bare = slot.bare(plan.sequence, plan.flags, room);
        let payload = slot.outbox.pieces(outbox, plan.at, plan.len as usize);
        send(now, lower, device, &bare, payload)?;
        if slot.reset {
            self.release(index);
            return Ok(false);
        }
        slot.told(bare.window);
        if slot.sent(now, &plan) {
            lower.counters.add(Count::Resent);
        }
        let mut writers = core::mem::take(&mut slot.writers);
        let flushed = slot.outbox.len <= slot.in_flight();
        let deadline = slot.deadline();
        self.due = self.due.min(deadline);
        if flushed {
            self.wakers.wake(&mut writers);
        }
        if let Some(slot) = self.slots.get_mut(usize::from(index)) {
            slot.writers = writers;
        }
        Ok(true)
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if now < self.due {
            return;
        }
        self.due = NEVER;
        for index in 0..self.slots.len().min(NONE.into()) as u16 {
            let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
            let deadline = slot.deadline();
            if deadline <= now {
                if let Some(end) = slot.on_time(now) {
                    self.finish(index, end);
                }
                self.touch(index);
            } else {
                self.due = self.due.min(deadline);
            }
        }
    }
}

/// Sends a segment.
pub(crate) fn send<T: Transmit>(
    now: Instant,
    lower: &mut Lower<'_>,
    device: &mut T,
    bare: &Bare,
    payload: [&[u8]; 2],
) -> Result<(), SendError> {
    let syn = bare.flags & SYN != 0;
    let header = wire::Tcp {
        source: bare.local_port.into(),
        destination: bare.remote.port().into(),
        sequence: bare.sequence.0.into(),
        acknowledgment: bare.acknowledgment.0.into(),
        offset: if syn { 0x60 } else { 0x50 },
        flags: bare.flags,
        window: bare.window.into(),
        checksum: 0.into(),
        urgent: 0.into(),
    };
    // With a SYN the largest segment that we take.
    let [high, low] = lower.mss.to_be_bytes();
    let mut bytes = [0; 24];
    let (fixed, option) = bytes.split_at_mut(20);
    fixed.copy_from_slice(header.as_bytes());
    option.copy_from_slice(&[2, 4, high, low]);
    let len = if syn { 24 } else { 20 };
    let header = bytes.get_mut(..len).unwrap_or_default();
    lower.send(now, device, Packet { destination: *bare.remote.ip(), protocol: TCP, header, checksum: 16, payload })
}

impl Slot {
    /// What leaves next, if anything.
    fn plan(&mut self) -> Option<Plan> {
        let empty = |sequence, flags| Some(Plan { sequence, at: 0, len: 0, flags });
        if self.reset {
            return empty(self.here(), RST | ACK);
        }
        match self.state {
            State::SynSent if self.next == self.una => return empty(self.una, SYN),
            State::SynReceived if self.next == self.una => return empty(self.una, SYN | ACK),
            State::Open | State::TimeWait => {}
            _ => return None,
        }
        let mss = u32::from(self.mss);
        let offset = self.next.since(self.una);
        let (at, room) = if self.resend {
            (0, mss)
        } else {
            // Two more for the first two duplicates (RFC 3042).
            let limited = if self.recovering { 0 } else { u32::from(self.duplicates.min(2)) * mss };
            let window = u32::from(self.window).min(self.congestion_window + limited);
            (offset, window.saturating_sub(offset))
        };
        let left = self.outbox.len.saturating_sub(at);
        let mut len = left.min(mss).min(room);
        // Nagle's algorithm and the sender's part against silly windows (RFC 9293 §3.7.4, §3.8.6.2.1). What was sent before is
        // nothing new, and does not wait.
        let sent = offset < self.in_flight();
        let whole = len == left && (offset == 0 || sent || self.nodelay || self.ended);
        if self.probe {
            len = len.max(left.min(1));
        } else if !(self.resend || whole || len == mss || (len > 0 && 2 * len >= self.largest_window.into())) {
            len = 0;
        }
        let last = at + len == self.outbox.len;
        let fin = self.ended && !self.end_acknowledged && last && (self.resend || offset <= self.outbox.len);
        if len > 0 || fin {
            let flags = ACK | if last { PSH } else { 0 } | if fin { FIN } else { 0 };
            return Some(Plan { sequence: self.una.add(at), at, len, flags });
        }
        (self.resend, self.probe) = (false, false);
        if self.ask {
            return empty(self.una - 1, ACK);
        }
        if self.ack_now { empty(self.here(), ACK) } else { None }
    }

    /// Where a segment without data stands. No further than the peer looks: it takes none from beyond its window.
    fn here(&self) -> SequenceNumber {
        self.una.add(self.in_flight().min(self.window.into()))
    }

    /// A segment, but for its data.
    #[inline(never)]
    fn bare(&self, sequence: SequenceNumber, flags: u8, room: u32) -> Bare {
        let (remote, local_port, acknowledgment) = (self.remote, self.local_port, self.expected);
        Bare { remote, local_port, sequence, acknowledgment, flags, window: self.new_window(room) as u16 }
    }

    /// The peer was told what has come and this window.
    fn told(&mut self, window: u16) {
        self.edge = self.expected.add(window.into());
        (self.ack_now, self.ask, self.ack_at) = (false, false, NEVER);
    }

    /// An acknowledgement that leaves at once, without standing in the queue.
    pub(crate) fn answer(&mut self, room: u32) -> Bare {
        let bare = self.bare(self.here(), ACK, room);
        self.told(bare.window);
        bare
    }

    /// That was sent; whether it was again.
    fn sent(&mut self, now: Instant, plan: &Plan) -> bool {
        let len = plan.len + u32::from(plan.flags & (SYN | FIN) != 0);
        if len == 0 {
            return false;
        }
        if self.in_flight() == 0 {
            self.progress = now;
        }
        let end = plan.sequence.add(len);
        if !core::mem::take(&mut self.resend) {
            self.next = end;
        }
        self.probe = false;
        if self.timer == NEVER {
            self.start_timer(now);
        }
        let again = plan.sequence.before(self.top);
        if again {
            // Its acknowledgement tells nothing of the round trip (RFC 6298 §3).
            self.timed = None;
        } else if self.timed.is_none() {
            self.timed = Some((end, now));
        }
        if end.after(self.top) {
            self.top = end;
        }
        again
    }

    /// Does what is due; `Some` when that is the end, and why.
    fn on_time(&mut self, now: Instant) -> Option<Option<ErrorKind>> {
        if self.ack_at <= now {
            (self.ack_now, self.ack_at) = (true, NEVER);
        }
        if self.ask_at <= now
            && let Some(keepalive) = self.keepalive
        {
            if self.in_flight() > 0 || !self.is_open() {
                // Retransmissions find out.
                self.heard(now);
            } else if self.asked >= keepalive.probes {
                return Some(Some(ErrorKind::TimedOut));
            } else {
                self.asked += 1;
                self.ask = true;
                self.ask_at = now.saturating_add(keepalive.interval.max(BREATH));
            }
        }
        if self.timer > now {
            return None;
        }
        let waiting = self.in_flight() > 0 || self.outbox.len > 0 || matches!(self.state, State::SynSent);
        if self.state == State::TimeWait || !waiting {
            return Some(None);
        }
        if now.since(self.progress) >= self.patience {
            return Some(Some(ErrorKind::TimedOut));
        }
        // RFC 6298 §5, RFC 5681 §3.1: all of it again, slowly.
        let mss = u32::from(self.mss);
        if self.in_flight() > 0 && self.window > 0 {
            self.threshold = (self.in_flight() / 2).max(2 * mss);
            self.congestion_window = mss;
        }
        // Something leaves, however small the window is.
        (self.next, self.recover, self.probe) = (self.una, self.top, true);
        (self.timed, self.recovering, self.resend, self.duplicates) = (None, false, false, 0);
        self.back_off();
        self.start_timer(now);
        None
    }
}
