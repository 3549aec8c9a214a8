//! What to send next: lost bytes, data, FIN, probe or acknowledgement, or nothing yet.

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use mirage_congestion::Congestion as _;

use crate::connection::Slot;
use crate::cork::Hold;
use crate::identifier::NONE;
use crate::open::MOST_OPTIONS;
use crate::pool::Pool;
use crate::recovery::Phase;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::runs::fate;
use crate::wire::Flags;
use crate::{Profile, State};

/// A segment to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) seq: SequenceNumber,
    /// Where its payload begins in the send queue.
    pub(super) offset: u32,
    pub(super) len: u32,
    /// What a full segment carries beside the options that go with it now.
    pub(super) full: u32,
    pub(super) flags: Flags,
    pub(super) kind: Kind,
}

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It carries what comes next.
    Next,
    /// So it does, in a longer segment than the path is known to take.
    Longer,
    /// It carries this run again.
    Again(u32),
    /// It carries nothing, with a number that the peer has to answer: its window is closed.
    Probe,
    /// It is our SYN-ACK, of a connection that took data with the SYN.
    SynAck,
    /// It carries nothing.
    Empty,
}

impl<P: Profile> Slot<P> {
    /// What to send next, or `None` if nothing can or must be sent now.
    #[inline]
    pub(super) fn plan(&mut self, now: Instant, resources: &mut Resources<'_>) -> Option<Plan> {
        if P::FAST_OPEN && self.syn_due() {
            let mut flags = Flags::SYN | Flags::ACK;
            flags.set(Flags::ECE, P::MARKS && self.marks.is_on());
            return Some(self.empty(self.una - 1, flags, Kind::SynAck));
        }
        if !self.state.may_transmit() {
            return self.plan_without_data(resources);
        }
        let held_back = self.is_held_back(now, &resources.pool);
        if (self.recovery.lost > 0 || (P::SELECTIVE && self.probe_tail()))
            && !held_back
            && let Some(plan) = self.plan_again(resources)
        {
            return Some(plan);
        }
        let queued = self.send.len();
        let offset = self.nxt.since(self.una);
        // Behind the FIN there is nothing.
        let total = queued + u32::from(self.fin_queued());
        if offset < total {
            if !held_back && let Some(plan) = self.plan_data(now, resources, queued, offset) {
                return Some(plan);
            }
        } else {
            self.note_all_sent();
        }
        self.plan_empty()
    }

    /// The application has nothing more to send.
    #[inline]
    pub(super) fn note_all_sent(&mut self) {
        self.set_congestion_limited(false);
        if P::SELECTIVE && !self.recovery.delivery.is_app_limited() {
            let in_flight = self.in_flight();
            self.recovery.delivery.on_app_limited(in_flight);
        }
    }

    /// Whether there is nothing to plan, seen at a glance behind a segment that was just sent.
    #[inline]
    pub(super) fn is_done(&mut self) -> bool {
        let done = !self.has_unsent()
            && self.recovery.lost == 0
            && self.state.may_transmit()
            && !(self.probe_tail() || self.ack_now() || self.ask() || (P::FAST_OPEN && self.syn_due()));
        if done {
            self.note_all_sent();
        }
        done
    }

    /// Whether the pace forbids to send data now; if it does, the timer says when to come back.
    #[inline]
    fn is_held_back(&mut self, now: Instant, pool: &Pool<'_>) -> bool {
        if !P::SELECTIVE || self.congestion.pacing_rate().is_none() {
            return false;
        }
        let pace_at = pool.under_way(self.send.head()).pace_at();
        if pace_at <= now {
            return false;
        }
        if self.recovery.lost > 0 || self.has_unsent() {
            self.set_paced(true);
            self.arm(pace_at);
        }
        true
    }

    fn plan_data(&mut self, now: Instant, resources: &Resources<'_>, queued: u32, offset: u32) -> Option<Plan> {
        let mss = self.payload_of_full_segment();
        let window = self.send_window(&resources.pool);
        let pipe = self.pipe();
        let offered = self.window.saturating_sub(offset);
        let room = if P::SELECTIVE && self.probe_tail() { mss } else { window.saturating_sub(pipe) };
        let usable = offered.min(room);
        let mut unsent = queued.saturating_sub(offset);
        // Where the application wants a segment to end, and whether something follows there.
        let (mut record, mut followed) = (false, false);
        if P::RECORDS
            && self.send.has_records()
            && let Some(left) = self.send.left_of_record(&resources.pool, offset)
        {
            (record, followed) = (true, left < unsent);
            unsent = left;
        }
        if P::PROBING
            && self.path.is_searched()
            && !self.probe_tail()
            && (!P::SELECTIVE || resources.runs.can_begin())
            && let Some(len) = self.longer_segment(now, usable, unsent)
        {
            return Some(Plan { seq: self.nxt, offset, len, full: mss, flags: Flags::ACK, kind: Kind::Longer });
        }
        // In one frame half a window at most, so that acknowledgements of one half bring out the other (as Linux); and where a
        // pace is kept no more than it allows in a millisecond, but two segments (draft-ietf-ccwg-bbr §5.6.3).
        let mut most = u32::from(self.large);
        if self.device_cuts() {
            most = most.min(window / 2);
        }
        if P::SELECTIVE
            && let Some(rate) = self.congestion.pacing_rate()
        {
            most = most.min(u32::try_from(rate / 1_000).unwrap_or(u32::MAX).max(2 * mss));
            most = (most - most % mss).max(mss);
        }
        let mut len = unsent.min(usable).min(mss.max(most));
        if (P::SELECTIVE && self.probe_tail()) || (P::MARKS && self.marks.has_news()) {
            // What the peer is told of a reduction it is told once, not by each piece.
            len = len.min(mss);
        }
        self.set_congestion_limited(room < offered && room < unsent.min(mss));
        // Nagle as Minshall has it: one small segment may be under way, not two.
        let tail_may_go = self.fin_queued()
            || followed
            || (self.hold == Hold::Nothing
                && (self.nodelay() || !self.has_small_out(&resources.pool) || self.has_only_syn_data(&resources.pool)));
        if len > mss && (len < unsent || !tail_may_go) {
            len -= len % mss;
        }
        let last = len == unsent;
        // RFC 9293 §3.8.6.2.1, silly window avoidance: a full segment, or all there is, or half of the largest window.
        let worth = len >= mss
            || (last && len > 0 && tail_may_go)
            || (len > 0 && offered <= room && len >= self.max_window / 2);
        let fin = self.fin_queued() && last && !followed && offered > len;
        let noted = !P::SELECTIVE || resources.runs.can_push(&self.recovery.chain);
        if (worth || (unsent == 0 && fin)) && noted {
            let mut flags = Flags::ACK;
            // What the device cuts is marked at its end, so that a receiver that puts it together again hands it up at once.
            if (len > mss && self.device_cuts()) || (last && len > 0 && (record || !self.unpushed())) {
                flags |= Flags::PSH;
            }
            if fin {
                flags |= Flags::FIN;
            }
            return Some(Plan { seq: self.nxt, offset, len, full: mss, flags, kind: Kind::Next });
        }
        if self.probe() {
            if offered == 0 {
                // What the window has no room for, the peer must answer; data is not wasted on it.
                return Some(self.empty(self.una - 1, Flags::ACK, Kind::Probe));
            }
            // A window that is only small is used.
            let len = unsent.min(offered).min(mss);
            let fin = self.fin_queued() && len == unsent && !followed && offered > len;
            let mut flags = Flags::ACK;
            if len > 0 {
                flags |= Flags::PSH;
            }
            if fin {
                flags |= Flags::FIN;
            }
            if len > 0 || fin {
                return Some(Plan { seq: self.nxt, offset, len, full: mss, flags, kind: Kind::Next });
            }
        }
        if self.nxt == self.una && self.resend_at == Instant::MAX {
            self.start_persist_timer(now, resources);
        }
        None
    }

    /// Whether a segment that was not full is under way: then no other goes (Nagle's algorithm as Minshall has it).
    #[inline]
    pub(super) fn has_small_out(&self, pool: &Pool<'_>) -> bool {
        self.nxt != self.una && SequenceNumber(pool.under_way(self.send.head()).small_end).after(self.una)
    }

    /// Whether the only small segment under way is what went with the SYN in vain: its length was not ours to choose.
    fn has_only_syn_data(&self, pool: &Pool<'_>) -> bool {
        P::FAST_OPEN
            && self.syn_len > 0
            && pool.under_way(self.send.head()).small_end == (self.una + u32::from(self.syn_len)).0
    }

    /// What is lost, or the tail of the flight as a probe, if it may go now.
    #[inline(never)]
    fn plan_again(&mut self, resources: &mut Resources<'_>) -> Option<Plan> {
        let mss = self.payload_of_full_segment();
        if !P::SELECTIVE {
            return self.plan_plainly(mss);
        }
        let index = if self.recovery.lost > 0 {
            let pipe = self.pipe();
            if self.new_first() || (pipe > 0 && pipe >= self.send_window(&resources.pool)) {
                return None;
            }
            self.recovery.first_lost(&mut resources.runs)?
        } else {
            let unsent = self.send.len().saturating_sub(self.in_flight());
            if unsent > 0 && self.window > self.in_flight() {
                // New data makes the better probe.
                return None;
            }
            self.set_probe_tail(false);
            let tail = self.recovery.chain.tail;
            if tail == NONE || self.recovery.phase != Phase::Open {
                return None;
            }
            match resources.runs.of(tail).len() > mss {
                true => {
                    // The last segment, full or not.
                    let run = resources.runs.of(tail);
                    let at = run.start + (run.len() - 1) / mss * mss;
                    let tail_before = tail;
                    match resources.runs.cut(&mut self.recovery.chain, tail_before, at) {
                        true => self.recovery.chain.tail,
                        false => return None,
                    }
                }
                false => tail,
            }
        };
        let run = resources.runs.of(index);
        let (start, end, ends) = (run.start, run.end, run.is(fate::ENDS));
        let offset = start.since(self.una);
        if offset > 0 && offset >= self.window {
            // The peer has taken back what it offered.
            return None;
        }
        let queued = self.send.len();
        let data = queued.saturating_sub(offset).min(end.since(start));
        let len = data.min(mss);
        let fin = self.fin_queued() && offset + len == queued && end.after(self.fin_seq());
        let covered = len + u32::from(fin);
        if covered < end.since(start) {
            // Without room to cut it the whole run counts as sent again; what is missing is found missing again.
            let _cut = resources.runs.cut(&mut self.recovery.chain, index, start + covered);
        }
        let mut flags = Flags::ACK;
        if len > 0 && (offset + len == queued || (ends && start + len == end)) {
            flags |= Flags::PSH;
        }
        if fin {
            flags |= Flags::FIN;
        }
        Some(Plan { seq: start, offset, len, full: mss, flags, kind: Kind::Again(index) })
    }

    /// The same for a sender without records.
    fn plan_plainly(&mut self, mss: u32) -> Option<Plan> {
        let pipe = self.pipe();
        if self.recovery.phase == Phase::Loss && pipe > 0 && pipe >= self.congestion.window() {
            return None;
        }
        let (start, lost) = (self.recovery.lost_from(self.una), self.recovery.lost);
        let offset = start.since(self.una);
        if offset > 0 && offset >= self.window {
            // The peer has taken back what it offered.
            return None;
        }
        let queued = self.send.len();
        let len = queued.saturating_sub(offset).min(lost).min(mss);
        let mut flags = Flags::ACK;
        if offset + len == queued {
            flags.set(Flags::PSH, len > 0);
            flags.set(Flags::FIN, self.fin_queued() && lost > len);
        }
        Some(Plan { seq: start, offset, len, full: mss, flags, kind: Kind::Again(NONE) })
    }

    fn plan_without_data(&mut self, resources: &Resources<'_>) -> Option<Plan> {
        match self.state {
            State::SynSent | State::SynReceived if Self::OPENING && self.nxt == self.una => {
                let answers = self.state == State::SynReceived;
                let mut flags = if answers { Flags::SYN | Flags::ACK } else { Flags::SYN };
                // RFC 3168 §6.1.1.1: a SYN that is not answered may have been dropped for asking.
                let asks = resources.config.asks_for_marks::<P>() && self.syns == 0 && !answers;
                flags.set(Flags::ECE | Flags::CWR, asks);
                let first = P::FAST_OPEN && self.syns == 0;
                if first {
                    // The path may take less than the server does.
                    self.syn_len = self.syn_len.min(self.mss.saturating_sub(MOST_OPTIONS));
                }
                let len = if first { self.syn_len.into() } else { 0 };
                Some(Plan { len, ..self.empty(self.una, flags, Kind::Next) })
            }
            State::SynReceived | State::FinWait2 => self.plan_empty(),
            _ => None,
        }
    }

    /// A keepalive probe or an acknowledgement.
    fn plan_empty(&mut self) -> Option<Plan> {
        if !self.ack_now() && !self.ask() {
            return None;
        }
        let seq = match self.ask() {
            // RFC 9293 §3.8.4: "it must send an acknowledgment with SEG.SEQ = SND.NXT-1", to which the peer has to answer.
            true => self.una - 1,
            false => self.empty_seq(),
        };
        Some(self.empty(seq, Flags::ACK, Kind::Empty))
    }

    /// A segment without payload.
    fn empty(&self, seq: SequenceNumber, flags: Flags, kind: Kind) -> Plan {
        Plan { seq, offset: 0, len: 0, full: self.mss.max(1).into(), flags, kind }
    }

    /// The number of an empty segment: the highest that the peer's window has room for, so that it is looked at.
    pub(super) fn empty_seq(&self) -> SequenceNumber {
        let end = self.una + self.window;
        if self.nxt.after(end) { end } else { self.nxt }
    }

    /// What a segment carries beside the options that go with it now.
    #[inline]
    fn payload_of_full_segment(&self) -> u32 {
        let options = if P::SELECTIVE && self.selective() { self.sack_space() } else { 0 };
        let options = if P::MARKS { options + self.marked_space() } else { options };
        u32::from(self.mss).saturating_sub(options).max(1)
    }
}

impl<P: Profile> Slot<P> {
    /// Notes in `paced` how long what was sent keeps the line busy.
    #[inline]
    pub(super) fn keep_pace(&self, now: Instant, bytes: u32, pool: &mut Pool<'_>) {
        let Some(rate) = self.congestion.pacing_rate().filter(|_| P::SELECTIVE) else { return };
        let nanos = u64::from(bytes) * 1_000_000_000 / rate.max(1);
        let under_way = pool.under_way_mut(self.send.head());
        let from = if under_way.pace_at() > now { under_way.pace_at() } else { now };
        under_way.pace_until(from + mirage_clock::Duration::from_nanos(nanos));
    }

    /// Whether the retransmission timer runs, of whatever kind.
    pub(super) fn is_watched(&self) -> bool {
        self.resend_at != Instant::MAX && self.watch != Watch::Persist
    }
}
