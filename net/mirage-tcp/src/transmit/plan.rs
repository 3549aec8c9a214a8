//! What to send next: data, FIN, probe or acknowledgement, or nothing yet.

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use crate::State;
use crate::connection::Slot;
use crate::resources::Resources;
use crate::wire::Flags;

/// A segment to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) seq: SequenceNumber,
    /// Where its payload begins in the send queue.
    pub(super) offset: u32,
    pub(super) len: u32,
    pub(super) flags: Flags,
    pub(super) kind: Kind,
}

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It carries what comes next.
    Next,
    /// It carries the oldest unacknowledged bytes again.
    Again,
    /// It carries a byte that the peer's window has no room for.
    Probe,
    /// It carries nothing.
    Empty,
}

impl Slot {
    /// What to send next, or `None` if nothing can or must be sent now.
    pub(super) fn plan(&mut self, now: Instant, resources: &Resources<'_>) -> Option<Plan> {
        if !self.state.may_transmit() {
            return self.plan_without_data();
        }
        if self.resend_first {
            return Some(self.first_again());
        }
        let queued = self.send.len();
        let offset = self.nxt.since(self.una);
        // Behind the FIN there is nothing.
        let total = queued + u32::from(self.fin_queued);
        if offset < total
            && let Some(plan) = self.plan_data(now, resources, queued, offset)
        {
            return Some(plan);
        }
        if offset >= total {
            self.congestion_limited = false;
        }
        self.plan_empty()
    }

    fn plan_data(&mut self, now: Instant, resources: &Resources<'_>, queued: u32, offset: u32) -> Option<Plan> {
        let mss = u32::from(self.mss);
        let cwnd = self.congestion.window();
        let usable = self.window.min(cwnd).saturating_sub(offset);
        let unsent = queued.saturating_sub(offset);
        let mut len = unsent.min(usable).min(mss.max(self.large.into()));
        self.congestion_limited = cwnd < self.window && cwnd.saturating_sub(offset) < unsent.min(mss);
        // Nagle as Minshall has it: one small segment may be under way, not two.
        let tail_may_go = self.nodelay || self.fin_queued || self.small_end.at_or_before(self.una);
        if len > mss && (len < unsent || !tail_may_go) {
            len -= len % mss;
        }
        let last = len == unsent;
        // RFC 9293 §3.8.6.2.1, silly window avoidance: a full segment, or all there is, or half of the largest window;
        // what was sent before goes whatever its size.
        let worth = len >= mss
            || (last && len > 0 && tail_may_go)
            || (len > 0 && self.nxt.before(self.max))
            || (len > 0 && self.window <= cwnd && len >= self.max_window / 2);
        let fin = self.fin_queued && last && self.window > offset + len;
        if worth || (unsent == 0 && fin) {
            let mut flags = Flags::ACK;
            if last && len > 0 {
                flags |= Flags::PSH;
            }
            if fin {
                flags |= Flags::FIN;
            }
            return Some(Plan { seq: self.nxt, offset, len, flags, kind: Kind::Next });
        }
        if self.probe {
            let len = unsent.min(usable.clamp(1, mss));
            let flags = Flags::ACK | if unsent == 0 { Flags::FIN } else { Flags::PSH };
            // A window that is only small is used; beyond a closed one goes a single byte.
            let kind = if usable > 0 { Kind::Next } else { Kind::Probe };
            return Some(Plan { seq: self.nxt, offset, len, flags, kind });
        }
        if offset == 0 && !self.congestion_limited && !self.persist {
            self.start_persist_timer(now, resources);
        }
        None
    }

    /// The oldest unacknowledged bytes, or the FIN if there are none.
    fn first_again(&self) -> Plan {
        let queued = self.send.len();
        let sent = self.in_flight().min(queued);
        let len = sent.min(self.mss.into());
        let mut flags = Flags::ACK;
        if len == queued {
            if len > 0 {
                flags |= Flags::PSH;
            }
            if self.fin_sent() {
                flags |= Flags::FIN;
            }
        }
        Plan { seq: self.una, offset: 0, len, flags, kind: Kind::Again }
    }

    fn plan_without_data(&mut self) -> Option<Plan> {
        match self.state {
            State::SynSent | State::SynReceived if self.nxt == self.una => {
                let answers = self.state == State::SynReceived;
                let flags = if answers { Flags::SYN | Flags::ACK } else { Flags::SYN };
                Some(Plan { seq: self.una, offset: 0, len: 0, flags, kind: Kind::Next })
            }
            State::SynReceived | State::FinWait2 => self.plan_empty(),
            _ => None,
        }
    }

    /// A keepalive probe or an acknowledgement.
    fn plan_empty(&mut self) -> Option<Plan> {
        if !self.ack_now && !self.ask {
            return None;
        }
        let seq = match self.ask {
            // RFC 9293 §3.8.4: "it must send an acknowledgment with SEG.SEQ = SND.NXT-1", to which the peer has to answer.
            true => self.una - 1,
            false => self.empty_seq(),
        };
        Some(Plan { seq, offset: 0, len: 0, flags: Flags::ACK, kind: Kind::Empty })
    }

    /// The number of an empty segment: the highest that the peer's window has room for, so that it is looked at.
    fn empty_seq(&self) -> SequenceNumber {
        let end = self.una + self.window;
        if self.max.after(end) { end } else { self.max }
    }
}
