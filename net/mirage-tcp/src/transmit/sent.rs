//! What changes when a segment has left.

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use mirage_congestion::Congestion as _;

use super::plan::{Kind, Plan};
use crate::coarse::Coarse;
use crate::connection::Slot;
use crate::facts::Facts;
use crate::path::Stage;
use crate::recovery::Phase;
use crate::resources::Resources;
use crate::runs::{RunSlot, fate};
use crate::wire::Flags;
use crate::{Config, Profile};

impl<P: Profile> Slot<P> {
    #[inline]
    pub(super) fn on_sent(&mut self, plan: &Plan, now: Instant, resources: &mut Resources<'_>) {
        if plan.flags.contains(Flags::ACK) {
            self.on_acknowledged();
        }
        match plan.kind {
            Kind::Empty => self.set_ask(false),
            Kind::SynAck => {
                self.set_syn_due(false);
                self.syns = self.syns.saturating_add(1);
                self.watch_later(crate::retransmit::Watch::Resend, now, resources);
            }
            Kind::Next if Self::OPENING && plan.flags.contains(Flags::SYN) => self.on_syn_sent(now, resources),
            Kind::Next | Kind::Longer => self.on_next_sent(plan, now, resources),
            Kind::Again(run) => self.on_sent_again(plan, run, now, resources),
            Kind::Probe => {
                self.set_probe(false);
                self.watch_later(crate::retransmit::Watch::Persist, now, resources);
            }
        }
    }

    /// The peer is told what came.
    #[inline(always)]
    pub(super) fn on_acknowledged(&mut self) {
        if self.quick_acks > 0 && self.acked_to != self.rcv_nxt {
            self.quick_acks -= 1;
        }
        self.acked_to = self.rcv_nxt;
        match self.repeats {
            0 => self.set_ack_now(false),
            left => self.repeats = left - 1,
        }
        self.ack_at = Instant::MAX;
        self.twice_len = 0;
    }

    /// Our SYN is out. It is no run: it is watched over by number alone.
    #[inline(never)]
    pub(super) fn on_syn_sent(&mut self, now: Instant, resources: &mut Resources<'_>) {
        if self.syns == 0 {
            self.stuck_since = now;
        } else {
            resources.stats.retransmits += 1;
            self.resent += 1;
        }
        self.nxt = self.una + 1;
        self.syns = self.syns.saturating_add(1);
        self.sent_at = Coarse::of(now);
        self.start_resend_timer(now, resources);
    }

    #[inline(never)]
    pub(super) fn on_next_sent(&mut self, plan: &Plan, now: Instant, resources: &mut Resources<'_>) {
        let bytes = plan.len + u32::from(plan.flags.contains(Flags::FIN));
        let end = plan.seq + bytes;
        let idle = self.una == self.nxt;
        if idle {
            self.stuck_since = now;
        }
        self.note_answer(now, plan.len, &resources.config);
        if !P::SELECTIVE {
            return self.on_next_sent_plainly(plan, (bytes, end, idle), now, resources);
        }
        let mut fate = 0;
        if P::FAST_OPEN && self.syn_len > 0 {
            fate |= self.note_syn_data_again(plan.seq, end, resources);
        }
        if P::RECORDS && self.send.has_records() && plan.flags.contains(Flags::PSH) {
            fate |= fate::ENDS;
        }
        let under_way = resources.pool.under_way_mut(self.send.head());
        let told = self.flight_of(self.pipe(), under_way.most);
        self.congestion.on_sent(now, bytes, &told);
        self.nxt = end;
        let in_flight = self.pipe();
        if idle {
            under_way.rack.begin(self.una);
            (under_way.most_until, under_way.small_end) = (self.una.0, self.una.0);
        }
        let mark = self.recovery.delivery.on_sent(&mut under_way.round, now, in_flight, idle);
        if self.recovery.delivery.is_app_limited() {
            fate |= fate::APP_LIMITED;
        }
        if P::PROBING && plan.kind == Kind::Longer {
            fate |= fate::LONGER;
            self.path.on_probe(end);
        }
        let run = RunSlot { start: plan.seq, end, sent_at: now, fate, mark, ..RunSlot::default() };
        let _kept = resources.runs.push(&mut self.recovery.chain, &run, under_way.small_end != plan.seq.0);
        let most = end.since(self.una);
        if most > under_way.most || self.una.at_or_after(SequenceNumber(under_way.most_until)) {
            (under_way.most, under_way.most_until) = (most, end.0);
        }
        // No division for the usual segments, the full and the small.
        let whole = match plan.len {
            0 => true,
            len if len <= plan.full => len == plan.full,
            len => len.is_multiple_of(plan.full),
        };
        if !whole {
            if plan.kind != Kind::Longer {
                under_way.small_end = end.0;
            }
        } else if P::PROBING && self.path.stage() == Stage::Untried {
            self.path.on_tried(end);
        }
        if self.recovery.phase == Phase::Recovery {
            under_way.proportional.on_sent(bytes);
        }
        let tail = self.probe_tail();
        self.facts -= Facts::PROBE | Facts::PROBE_TAIL;
        if tail {
            under_way.tail.begin(end, false);
            // RFC 8985 §7.3: the timeout counts from the probe.
            self.start_timer(now, resources.config.max_rto, true);
        } else if !self.is_watched() || self.watch == crate::retransmit::Watch::Tail {
            // RFC 6298 §5.1; and RFC 8985 §7.2: each new segment postpones the probe.
            let (max_rto, probed) = (resources.config.max_rto, under_way.tail.is_probed());
            match P::STRAIGHT {
                true => self.start_timer_here(now, max_rto, probed),
                false => self.start_timer(now, max_rto, probed),
            }
        }
        self.on_fresh_sent(bytes, now, resources);
    }

    /// `len` bytes leave: whether the application answers what came.
    #[inline(always)]
    pub(super) fn note_answer(&mut self, now: Instant, len: u32, config: &Config) {
        // Before any data came, what leaves with the acknowledgement of the handshake counts as an answer.
        let answers = now == self.heard_at && len != u32::from(self.syn_len);
        let quick = self.quick_acks > 0 && (self.quick_acks < config.quick_acks || answers);
        if quick && self.data_at.since(now) < config.delayed_ack {
            // From now on its answers carry the acknowledgements.
            self.quick_acks = 0;
        }
    }

    /// Our FIN left, alone and with nothing under way, and nobody holds the connection: what could be measured by it would
    /// serve no one. It becomes `run`, which is the next that nobody has; what watches over it is left to be started.
    #[inline(always)]
    pub(super) fn on_lone_fin_sent(&mut self, now: Instant, run: u32, resources: &mut Resources<'_>) {
        let (start, end) = (self.nxt, self.nxt + 1);
        (self.stuck_since, self.nxt) = (now, end);
        let content = RunSlot { start, end, sent_at: now, ..RunSlot::default() };
        resources.runs.begin(&mut self.recovery.chain, run, content);
        if P::PROBING && self.path.stage() == Stage::Untried {
            self.path.on_tried(end);
        }
        self.sent_at = Coarse::of(now);
    }

    /// What is the same with and without records.
    #[inline]
    fn on_fresh_sent(&mut self, bytes: u32, now: Instant, resources: &mut Resources<'_>) {
        self.sent_at = Coarse::of(now);
        self.keep_pace(now, bytes, &mut resources.pool);
        if self.flushing() && self.is_flushed() {
            self.set_flushing(false);
            resources.wakers.wake(&mut self.writers);
        }
    }

    /// The same without records: `bytes` up to `end` left; `idle`: nothing was under way before.
    fn on_next_sent_plainly(
        &mut self,
        plan: &Plan,
        (bytes, end, idle): (u32, SequenceNumber, bool),
        now: Instant,
        resources: &mut Resources<'_>,
    ) {
        let told = self.flight_of(self.pipe(), self.in_flight());
        self.congestion.on_sent(now, bytes, &told);
        self.nxt = end;
        self.recovery.chain.time(now, end);
        let under_way = resources.pool.under_way_mut(self.send.head());
        if idle {
            under_way.small_end = self.una.0;
        }
        if !plan.len.is_multiple_of(plan.full) {
            under_way.small_end = end.0;
        } else if P::PROBING && plan.len == plan.full && self.path.stage() == Stage::Untried {
            self.path.on_tried(end);
        }
        self.set_probe(false);
        if !self.is_watched() {
            self.start_resend_timer(now, resources);
        }
        self.on_fresh_sent(bytes, now, resources);
    }

    /// What went with the SYN in vain, if this is some of it, is sent for the second time: its fate.
    #[inline(never)]
    fn note_syn_data_again(&mut self, start: SequenceNumber, end: SequenceNumber, resources: &mut Resources<'_>) -> u8 {
        let behind = self.iss + 1 + u32::from(self.syn_len);
        if self.una.at_or_after(behind) {
            // The peer has it: of no interest any more.
            self.syn_len = 0;
        }
        if start.at_or_after(behind) {
            return 0;
        }
        resources.stats.retransmits += 1;
        self.resent += end.since(start).div_ceil(u32::from(self.mss).max(1));
        if end == behind { fate::RESENT | fate::ENDS } else { fate::RESENT }
    }

    #[inline(never)]
    fn on_sent_again(&mut self, plan: &Plan, index: u32, now: Instant, resources: &mut Resources<'_>) {
        resources.stats.retransmits += 1;
        let covered = plan.len + u32::from(plan.flags.contains(Flags::FIN));
        self.resent += covered.div_ceil(u32::from(self.mss).max(1));
        if !P::SELECTIVE {
            self.on_sent_plainly(covered);
            if plan.seq == self.una || !self.is_watched() {
                self.start_resend_timer(now, resources);
            }
            self.sent_at = Coarse::of(now);
            return self.keep_pace(now, covered, &mut resources.pool);
        }
        let run = resources.runs.of_mut(index);
        let bytes = run.len();
        if run.is(fate::LONGER) {
            self.path.on_probe_lost();
        }
        let lost = run.is(fate::LOST);
        if lost {
            self.recovery.lost = self.recovery.lost.saturating_sub(bytes);
        }
        run.fate = (run.fate & !fate::LOST) | fate::RESENT;
        run.sent_at = now;
        let in_flight = self.pipe();
        let under_way = resources.pool.under_way_mut(self.send.head());
        run.mark = self.recovery.delivery.on_sent(&mut under_way.round, now, in_flight, false);
        under_way.undo.on_resent(bytes, self.stamps.value(now));
        if self.recovery.phase == Phase::Recovery {
            under_way.proportional.on_sent(bytes);
        }
        if self.recovery.phase == Phase::Open && !lost {
            // The tail as a probe.
            under_way.tail.begin(self.nxt, true);
            // A FIN alone has nowhere to note that it was probed for.
            self.start_timer(now, resources.config.max_rto, true);
        } else if plan.seq == self.una || !self.is_watched() {
            self.start_resend_timer(now, resources);
        }
        self.sent_at = Coarse::of(now);
        self.keep_pace(now, bytes, &mut resources.pool);
    }
}
