//! What changes when a segment has left.

use mirage_clock::Instant;

use super::plan::{Kind, Plan};
use crate::connection::Slot;
use crate::resources::Resources;
use crate::wire::Flags;

impl Slot {
    pub(super) fn on_sent(&mut self, plan: &Plan, now: Instant, resources: &mut Resources<'_>) {
        if plan.flags.contains(Flags::ACK) {
            self.acked_to = self.rcv_nxt;
            self.ack_now = self.repeats > 0;
            self.repeats = self.repeats.saturating_sub(1);
            self.ack_at = Instant::MAX;
        }
        match plan.kind {
            Kind::Empty => self.ask = false,
            Kind::Next => self.on_next_sent(plan, now, resources),
            Kind::Again => {
                self.resend_first = false;
                self.timed_at = Instant::MAX;
                resources.stats.retransmits += 1;
                self.start_resend_timer(now, resources.config.max_rto);
            }
            Kind::Probe => self.on_probe_sent(plan, now, resources),
        }
    }

    fn on_next_sent(&mut self, plan: &Plan, now: Instant, resources: &mut Resources<'_>) {
        let end = plan.seq
            + plan.len
            + u32::from(plan.flags.contains(Flags::FIN))
            + u32::from(plan.flags.contains(Flags::SYN));
        if self.una == self.max {
            self.stuck_since = now;
        }
        if plan.seq == self.max {
            if self.timed_at == Instant::MAX {
                (self.timed_at, self.timed_end) = (now, end);
            }
        } else {
            // RFC 6298 §3, Karn: nothing is measured by what was sent twice.
            self.timed_at = Instant::MAX;
            resources.stats.retransmits += 1;
        }
        self.nxt = end;
        self.max = self.max.latest(end);
        // No division for the usual segment.
        let mss = u32::from(self.mss);
        if plan.len != mss && !plan.len.is_multiple_of(mss) {
            self.small_end = end;
        }
        if plan.flags.contains(Flags::SYN) {
            self.syns = self.syns.saturating_add(1);
        }
        (self.probe, self.persist) = (false, false);
        if self.resend_at == Instant::MAX {
            // RFC 6298 §5.1.
            self.start_resend_timer(now, resources.config.max_rto);
        }
        self.sent_at = now;
        if self.flushing && self.is_flushed() {
            self.flushing = false;
            resources.wakers.wake(&mut self.writers);
        }
    }

    /// A byte beyond the window is out. It counts as sent, so that its acknowledgement is understood, but the next probe
    /// begins with it again.
    fn on_probe_sent(&mut self, plan: &Plan, now: Instant, resources: &mut Resources<'_>) {
        let end = plan.seq + plan.len + u32::from(plan.flags.contains(Flags::FIN));
        self.max = self.max.latest(end);
        self.probe = false;
        self.persist = true;
        self.start_resend_timer(now, resources.config.max_rto);
        if self.flushing && self.is_flushed() {
            self.flushing = false;
            resources.wakers.wake(&mut self.writers);
        }
    }
}
