//! What an acknowledgement sets in motion: recoveries that begin and end, and the congestion controller's part in it.

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use mirage_congestion::{Ack, Congestion, Flight, Memory, Signal};

use super::scoreboard::Answer;
use super::{Phase, Tally};
use crate::coarse::Later;
use crate::connection::{Slot, todo};
use crate::path::Stage;
use crate::pool::Pool;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::sack::Blocks;
use crate::under_way::UnderWay;
use crate::{Profile, State};

/// What a segment says beside its number: as far as the sender of our direction cares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News {
    pub(crate) ack: SequenceNumber,
    /// The timestamp of ours that it echoes.
    pub(crate) echo: Option<u32>,
    /// It is a duplicate acknowledgement (RFC 5681 §2).
    pub(crate) duplicate: bool,
}

impl<P: Profile> Slot<P> {
    /// What is neither acknowledged in any way nor thought lost (the "pipe" of RFC 6675).
    #[inline]
    pub(crate) fn pipe(&self) -> u32 {
        self.in_flight().saturating_sub(self.recovery.sacked + self.recovery.lost)
    }

    /// What the congestion controller is told is under way.
    pub(crate) fn flight(&self, pool: &Pool<'_>, bytes: u32) -> Flight {
        self.flight_of(bytes, pool.under_way(self.send.head()).most)
    }

    /// The same when `most` was under way of late.
    pub(crate) fn flight_of(&self, bytes: u32, most: u32) -> Flight {
        Flight { bytes, delivered: self.recovery.delivery.delivered, window_limited: self.is_window_limited(most) }
    }

    /// `most` was under way of late. Whether the window may grow: it was what limited us, or at least half of it was used while it doubles each round trip.
    fn is_window_limited(&self, most: u32) -> bool {
        let window = self.congestion.window();
        self.congestion_limited() || (window < most.saturating_mul(2) && window < self.congestion.ssthresh())
    }

    /// How much may be under way now.
    #[inline]
    pub(crate) fn send_window(&self, pool: &Pool<'_>) -> u32 {
        match self.recovery.phase {
            Phase::Recovery if P::SELECTIVE && P::Congestion::PROPORTIONAL => {
                pool.under_way(self.send.head()).proportional.window()
            }
            _ => self.congestion.window(),
        }
    }

    /// An acknowledgement that is at or behind SND.UNA and not behind SND.NXT.
    #[inline]
    pub(crate) fn take_news(&mut self, resources: &mut Resources<'_>, now: Instant, news: &News, blocks: &Blocks) {
        if !P::SELECTIVE {
            return self.take_plain(resources, now, news);
        }
        let acked = news.ack.since(self.una);
        if P::STRAIGHT && acked > 0 && blocks.is_empty() && self.take_usual(resources, now, news.ack) {
            return;
        }
        self.take_any_news(resources, now, news, blocks);
    }

    /// The same, whatever it tells.
    #[inline(never)]
    fn take_any_news(&mut self, resources: &mut Resources<'_>, now: Instant, news: &News, blocks: &Blocks) {
        let prior = self.pipe();
        let acked = news.ack.since(self.una);
        let mut tally = Tally { acked, ..Tally::NOTHING };
        let lost = self.recovery.delivery.lost;
        self.read_scoreboard(resources, now, news, blocks, &mut tally);
        if acked > 0 {
            // With the last byte it goes, and what follows asks for it.
            let last = (acked >= self.send.len()).then(|| *resources.pool.under_way(self.send.head()));
            self.forget_acknowledged(resources, now, acked);
            if let Some(under_way) = last {
                resources.pool.keep(under_way);
            }
        }
        let min_rtt = self.recovery.reordering.min_rtt();
        let under_way = resources.pool.under_way_mut(self.send.head());
        let (rate, round) = self.recovery.delivery.on_ack(&mut under_way.round, now, &tally, min_rtt);
        let probed = under_way.tail.is_probed();
        self.measure(resources, now, news, &tally);
        let quiet = self.recovery.phase == Phase::Open && self.recovery.sacked == 0 && self.recovery.lost == 0;
        let mut wait = None;
        if !quiet || probed || news.duplicate || tally.selected {
            wait = self.recover(resources, now, news, &tally);
        }
        if tally.delivered > 0 {
            let lost = self.recovery.delivery.lost.wrapping_sub(lost);
            let told =
                Ack { acked, delivered: tally.delivered, lost, prior, rtt: tally.rtt, round, rate, ..Ack::default() };
            let flight = self.flight(&resources.pool, self.pipe());
            let recovering = self.recovery.phase == Phase::Recovery || self.is_reduced(&resources.pool);
            self.tell_controller_elsewhere(now, &Ack { flight, recovering, ..told });
        }
        if !quiet && self.recovery.phase == Phase::Recovery {
            let fresh = self.recovery.delivery.lost.wrapping_sub(lost);
            let progress = acked > 0 && fresh == 0;
            self.share_out(resources, tally.delivered, progress);
            self.todo |= todo::OUTPUT;
        }
        match wait {
            Some(wait) => self.watch_for(Watch::Reordering, now + wait),
            None if acked > 0 || tally.selected => self.start_resend_timer(now, resources),
            None => {}
        }
        resources.pool.forget();
    }

    /// Whether the window was reduced for a congestion mark of which the peer has yet to hear.
    pub(crate) fn is_reduced(&self, pool: &Pool<'_>) -> bool {
        pool.under_way(self.send.head()).is_reduced(self.una)
    }

    /// Tells the congestion controller what an acknowledgement brought, and how things stand now.
    #[inline(always)]
    pub(super) fn tell_controller(&mut self, now: Instant, brought: Ack) {
        let ack = Ack {
            srtt: self.round_trip.srtt().unwrap_or_default(),
            min_rtt: self.recovery.reordering.min_rtt(),
            ..brought
        };
        self.congestion.on_ack(now, &ack);
    }

    /// The same from where it is not called for each segment.
    #[inline(never)]
    pub(super) fn tell_controller_elsewhere(&mut self, now: Instant, brought: &Ack) {
        self.tell_controller(now, *brought);
    }

    /// Books what arrived.
    #[inline]
    fn read_scoreboard(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        news: &News,
        blocks: &Blocks,
        tally: &mut Tally,
    ) {
        let stamps = self.stamps;
        let before = move |sent_at: Instant| news.echo.is_some_and(|echo| stamps.is_before(echo, sent_at));
        let answer = Answer { now, before };
        let selective = self.selective();
        let (runs, recovery) = (&mut resources.runs, &mut self.recovery);
        let UnderWay { rack, undo, .. } = resources.pool.under_way_mut(self.send.head());
        let mut blocks = *blocks;
        if P::SELECTIVE && !blocks.is_empty() {
            if let Some((start, end)) = blocks.take_twice(news.ack) {
                tally.twice = true;
                resources.stats.duplicates_reported += 1;
                if undo.resent && end.since(start) <= self.max_window {
                    undo.on_twice(end.since(start));
                }
                rack.on_twice(&mut recovery.reordering, self.una, self.nxt);
            }
            blocks.clean(news.ack, self.nxt);
        }
        if tally.acked > 0 {
            recovery.take_ordered(rack, runs, &answer, news.ack, tally);
            if P::SELECTIVE && recovery.sacked > 0 && recovery.is_taken_back(runs) {
                // The next number that the peer expects is one that it had told of.
                recovery.lose_selected(runs);
            }
        }
        if P::SELECTIVE && !blocks.is_empty() {
            recovery.take_selective(rack, runs, &answer, &blocks, u32::from(self.mss).max(1), tally);
        }
        if !selective && (recovery.sacked > 0 || news.duplicate || recovery.duplicates > 0) {
            let flight = self.nxt.since(news.ack);
            let known = recovery.sacked;
            if tally.acked > 0 {
                recovery.on_progress(tally.acked, self.mss.into(), flight);
            } else if news.duplicate && recovery.on_duplicate(self.mss.into(), news.ack, flight) {
                // RFC 6582 §3.2 (2): not for duplicates that our own retransmissions may have caused.
                if recovery.recover.before(news.ack) || recovery.delivery.lost == 0 {
                    recovery.lose_first(runs, self.mss.into());
                }
            }
            // What duplicates stood for arrived when they came, not when it is acknowledged.
            tally.delivered = (tally.delivered + recovery.sacked).saturating_sub(known);
        }
    }

    /// Learns how long the round trip takes.
    #[inline]
    fn measure(&mut self, resources: &Resources<'_>, now: Instant, news: &News, tally: &Tally) {
        let rtt = match tally.rtt {
            // What arrived behind what was sent twice may have waited for it at the peer.
            Some(rtt) if !tally.resent || tally.acked == 0 => {
                self.recovery.reordering.on_rtt(now, rtt);
                Some(rtt)
            }
            // RFC 7323 §4: the echo of a timestamp tells it even of what was sent twice.
            _ if P::TIMESTAMPS && tally.acked > 0 => news.echo.and_then(|echo| self.stamps.age(now, echo)),
            _ => None,
        };
        if let Some(rtt) = rtt {
            self.round_trip.sample(rtt, resources.config.min_rto);
        }
    }

    /// Looks for losses, and for what ends a recovery; gives how long to wait for what may only be reordered.
    #[inline(never)]
    fn recover(&mut self, resources: &mut Resources<'_>, now: Instant, news: &News, tally: &Tally) -> Option<Duration> {
        let mut wait = None;
        let under_way = resources.pool.under_way_mut(self.send.head());
        let plain = news.duplicate && !tally.selected;
        let repaired = P::SELECTIVE && under_way.tail.on_ack(news.ack, tally.twice, plain);
        let undo = under_way.undo;
        if self.selective() && self.recovery.sacked + undo.unanswered > 0 {
            wait = self.find_losses(resources, now);
        }
        if repaired && self.recovery.phase == Phase::Open {
            // The probe repaired a loss: the network was congested all the same.
            let flight = self.flight(&resources.pool, self.in_flight());
            self.congestion.on_congestion(now, Signal::Loss, &flight);
            self.recovery.reordering.on_recovered();
        }
        let covered = self.una.at_or_after(self.recovery.recover);
        match self.recovery.phase {
            Phase::Open => {}
            Phase::Recovery if covered && tally.acked > 0 => {
                if undo.is_mistake(news.echo) {
                    self.undo(resources, now);
                } else {
                    self.end_recovery(resources, now);
                }
            }
            Phase::Recovery => {
                let twice = tally.twice && undo.unanswered == 0 && undo.resent;
                let early = tally.acked > 0 && undo.resent && undo.is_mistake(news.echo);
                if twice || early {
                    self.undo(resources, now);
                } else if !self.selective() && tally.acked > 0 {
                    // RFC 6582 §3.2, partial acknowledgement: the next hole begins here.
                    self.recovery.lose_first(&mut resources.runs, self.mss.into());
                }
            }
            Phase::Loss => self.on_ack_after_timeout(resources, now, news, tally, covered),
        }
        if self.recovery.phase == Phase::Open && self.recovery.lost > 0 {
            self.begin_recovery(resources, now);
        }
        wait
    }

    /// RFC 5682 §3.1: finds out whether the timeout was a mistake; and goes on repairing if it was not.
    fn on_ack_after_timeout(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        news: &News,
        tally: &Tally,
        covered: bool,
    ) {
        self.todo |= todo::OUTPUT;
        let undo = resources.pool.under_way(self.send.head()).undo;
        let early = tally.acked > 0 && undo.resent && undo.is_mistake(news.echo);
        if early || (self.recovery.doubted && tally.original) {
            return self.undo(resources, now);
        }
        if self.recovery.doubted {
            if self.new_first() {
                if tally.selected || news.duplicate {
                    // Step 3 (a): the loss was real.
                    self.recovery.doubted = false;
                    self.set_new_first(false);
                }
            } else if tally.acked > 0 && !covered && self.has_unsent() {
                // Step 2 (b): what was never sent tells more than what was.
                self.set_new_first(true);
                self.recovery.recover = self.nxt;
            } else {
                self.recovery.doubted = false;
            }
        }
        if covered && tally.acked > 0 {
            self.end_recovery(resources, now);
        }
    }

    /// Marks what is lost by now.
    fn find_losses(&mut self, resources: &mut Resources<'_>, now: Instant) -> Option<Duration> {
        let srtt = self.round_trip.srtt().unwrap_or_default();
        let rack = &resources.pool.under_way(self.send.head()).rack;
        let (found, wait) = self.recovery.find_losses(rack, &mut resources.runs, now, srtt, self.mss.into());
        if found > 0 {
            self.todo |= todo::OUTPUT;
        }
        wait
    }

    /// The time for reordering is over.
    pub(crate) fn on_reordering_timer(&mut self, resources: &mut Resources<'_>, now: Instant) {
        let wait = self.find_losses(resources, now);
        if self.recovery.phase == Phase::Open && self.recovery.lost > 0 {
            self.begin_recovery(resources, now);
        } else if self.recovery.phase == Phase::Recovery {
            self.share_out(resources, 0, false);
        }
        match wait {
            Some(wait) => self.watch_for(Watch::Reordering, now + wait),
            None => self.restart_resend_timer(resources, now),
        }
    }

    /// A loss was noticed.
    fn begin_recovery(&mut self, resources: &mut Resources<'_>, now: Instant) {
        if P::PROBING && self.is_only_probe_lost(resources) {
            self.todo |= todo::OUTPUT;
            return;
        }
        let flight = self.in_flight();
        self.set_calm(false);
        self.recovery.phase = Phase::Recovery;
        self.recovery.recover = self.nxt;
        let under_way = resources.pool.under_way_mut(self.send.head());
        under_way.tail.end();
        under_way.undo.begin();
        under_way.proportional.begin(flight);
        let reduced = under_way.is_reduced(self.una);
        under_way.reduced = false;
        if !reduced {
            // RFC 3168 §6.1.2: the peer is told of every reduction, whatever for.
            self.marks.on_reduced();
            let told = self.flight(&resources.pool, flight);
            resources.pool.under_way_mut(self.send.head()).before = self.congestion.memory().0;
            self.congestion.on_congestion(now, Signal::Loss, &told);
        }
        let (pipe, window) = (self.pipe(), self.congestion.window());
        let under_way = resources.pool.under_way_mut(self.send.head());
        under_way.proportional.on_ack(0, pipe, window, self.mss.into(), false, true);
        self.todo |= todo::OUTPUT;
    }

    /// Books an acknowledgement during recovery.
    fn share_out(&self, resources: &mut Resources<'_>, delivered: u32, progress: bool) {
        let (pipe, goal) = (self.pipe(), self.congestion.ssthresh().min(self.congestion.window()));
        let under_way = resources.pool.under_way_mut(self.send.head());
        under_way.proportional.on_ack(delivered, pipe, goal, self.mss.into(), progress, true);
    }

    /// Everything that was under way when the loss was noticed has arrived.
    pub(super) fn end_recovery(&mut self, resources: &mut Resources<'_>, now: Instant) {
        self.recovery.phase = Phase::Open;
        self.recovery.doubted = false;
        self.set_new_first(false);
        if P::SELECTIVE {
            resources.pool.under_way_mut(self.send.head()).undo.end();
            self.recovery.reordering.on_recovered();
        }
        if !self.selective() {
            self.recovery.sacked = 0;
        }
        let flight = self.flight(&resources.pool, self.pipe());
        self.congestion.on_recovered(now, &flight);
        self.todo |= todo::OUTPUT;
    }

    /// Nothing had been lost: takes everything back.
    fn undo(&mut self, resources: &mut Resources<'_>, now: Instant) {
        self.recovery.find_all(&mut resources.runs);
        let before = Memory(resources.pool.under_way(self.send.head()).before);
        self.congestion.undo(now, &before);
        self.recovery.phase = Phase::Open;
        self.recovery.doubted = false;
        self.set_new_first(false);
        resources.pool.under_way_mut(self.send.head()).undo.end();
        self.round_trip.reset_backoff();
        resources.stats.undone += 1;
        self.todo |= todo::OUTPUT;
    }

    /// The retransmission timer went off: all that is under way is lost, as far as we know.
    pub(crate) fn begin_loss(&mut self, resources: &mut Resources<'_>, now: Instant, again: bool) {
        resources.stats.timeouts += 1;
        if !P::SELECTIVE {
            let flight = self.flight_of(self.in_flight(), self.in_flight());
            self.congestion.on_timeout(now, &flight, again);
            if P::MARKS {
                self.marks.on_reduced();
                resources.pool.under_way_mut(self.send.head()).reduced = false;
            }
            return self.lose_plainly();
        }
        let flight = self.flight(&resources.pool, self.in_flight());
        let fresh = self.recovery.phase == Phase::Open || self.una.at_or_after(self.recovery.recover);
        let under_way = resources.pool.under_way_mut(self.send.head());
        under_way.tail.end();
        if fresh || !again {
            under_way.undo.begin();
        }
        if !again {
            under_way.before = self.congestion.memory().0;
        }
        self.recovery.doubted = fresh && !again;
        self.set_new_first(false);
        self.congestion.on_timeout(now, &flight, again);
        self.marks.on_reduced();
        self.set_calm(false);
        self.recovery.phase = Phase::Loss;
        self.recovery.recover = self.nxt;
        self.recovery.duplicates = 0;
        under_way.reduced = false;
        let head_known = self.recovery.chain.head != crate::identifier::NONE
            && resources.runs.of(self.recovery.chain.head).is(crate::runs::fate::SACKED);
        if !self.selective() {
            self.recovery.sacked = 0;
        } else if head_known {
            self.recovery.distrust(&mut resources.runs);
        }
        self.recovery.lose_all(&mut resources.runs);
    }

    /// `acked` numbers more are acknowledged, at least one and no more than are under way.
    #[inline(always)]
    pub(super) fn forget_acknowledged(&mut self, resources: &mut Resources<'_>, now: Instant, acked: u32) {
        // A number behind the queue is that of our FIN.
        let bytes = acked.min(self.send.len());
        if bytes > 0 {
            self.send.acked(&mut resources.pool, bytes);
        }
        self.una += acked;
        self.release();
        if bytes < acked {
            self.set_fin_acked(true);
        }
        self.round_trip.reset_backoff();
        self.stuck_since = now;
        if P::PROBING && self.path.stage() == Stage::Probing {
            self.on_probe_progress();
        }
        if self.state != State::FinWait2 {
            // Progress: a peer that nobody but us waits for has its time anew.
            self.linger_at = Later::NEVER;
        }
        if self.send.len() <= self.send_limit / 2 || (P::TUNING && self.unsent_limit.is_set()) {
            resources.wakers.wake(&mut self.writers);
        }
        resources.relieve();
    }
}
