//! When acknowledgements do not come.

use mirage_clock::{Duration, Instant};
use mirage_congestion::Congestion as _;

use crate::connection::{Slot, todo};
use crate::identifier::NONE;
use crate::recovery::Phase;
use crate::resources::Resources;
use crate::{Error, Profile, State};

/// What `resend_at` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Retransmission (RFC 6298).
    Resend,
    /// A probe of the flight's tail (RFC 8985 §7).
    Tail,
    /// The end of the patience with reordering (RFC 8985 §6.2).
    Reordering,
    /// A probe of a closed window (RFC 9293 §3.8.6.1).
    Persist,
}

impl<P: Profile> Slot<P> {
    /// Wants `watch` to be looked at when `at` has come. It goes off no later than the user timeout.
    pub(crate) fn watch_for(&mut self, watch: Watch, at: Instant) {
        self.watch = watch;
        self.resend_at = at.min(self.stuck_since + self.user_timeout());
        self.arm(self.resend_at);
    }

    /// The same after the retransmission timeout.
    #[inline(never)]
    pub(crate) fn watch_later(&mut self, watch: Watch, now: Instant, resources: &Resources<'_>) {
        self.watch_for(watch, now + self.round_trip.rto(resources.config.max_rto));
    }

    /// Starts the retransmission timer (RFC 6298 §5), or that of the tail probe that comes before it; stops it when nothing
    /// is under way.
    #[inline]
    pub(crate) fn start_resend_timer(&mut self, now: Instant, resources: &Resources<'_>) {
        if P::STRAIGHT {
            self.start_resend_timer_here(now, resources);
        } else {
            self.start_resend_timer_elsewhere(now, resources);
        }
    }

    #[inline(never)]
    fn start_resend_timer_elsewhere(&mut self, now: Instant, resources: &Resources<'_>) {
        self.start_resend_timer_here(now, resources);
    }

    #[inline]
    fn start_resend_timer_here(&mut self, now: Instant, resources: &Resources<'_>) {
        if self.nxt == self.una {
            self.resend_at = Instant::MAX;
            self.watch = Watch::Resend;
            return;
        }
        let probed = P::SELECTIVE && resources.pool.under_way(self.send.head()).tail.is_probed();
        self.start_timer(now, resources.config.max_rto, probed);
    }

    /// The same when something is under way; `probed`: the tail was.
    #[inline(never)]
    pub(crate) fn start_timer(&mut self, now: Instant, max_rto: Duration, probed: bool) {
        self.start_timer_here(now, max_rto, probed);
    }

    /// The same in the place of the call.
    #[inline(always)]
    pub(crate) fn start_timer_here(&mut self, now: Instant, max_rto: Duration, probed: bool) {
        let (watch, after) = sooner(self.round_trip.rto(max_rto), self.tail_timeout(probed));
        self.watch_for(watch, now + after);
    }

    /// The same for the first segment under way, which is no longer than a full one, between two who understand selective
    /// acknowledgments, while nothing is out of the ordinary.
    #[inline(always)]
    pub(crate) fn start_first_timer(&mut self, now: Instant, max_rto: Duration) {
        let pto = self.probe_after(LATE_ACK);
        debug_assert!(pto == self.tail_timeout(false), "one segment is under way, and nothing else is to be asked");
        let (watch, after) = sooner(self.round_trip.rto(max_rto), pto);
        self.watch = watch;
        self.resend_at = now + after.min(self.user_timeout());
        self.arm_here(self.resend_at);
    }

    /// The same, counted from when the oldest segment was sent: another timer was in its place meanwhile.
    pub(crate) fn restart_resend_timer(&mut self, resources: &Resources<'_>, now: Instant) {
        let head = self.recovery.chain.head;
        let since = match head {
            _ if !P::SELECTIVE => now,
            NONE => now,
            head => resources.runs.of(head).sent_at,
        };
        let at = since + self.round_trip.rto(resources.config.max_rto);
        self.watch_for(Watch::Resend, at.max(now + Duration::from_millis(1)));
    }

    /// Something is under way: some timer has to run.
    #[inline]
    pub(crate) fn keep_watch(&mut self, now: Instant, resources: &Resources<'_>) {
        if self.resend_at == Instant::MAX && self.nxt != self.una {
            self.restart_resend_timer(resources, now);
        }
    }

    /// How long to wait for an acknowledgement before the tail is probed; `None` if it is not to be.
    #[inline(always)]
    fn tail_timeout(&self, probed: bool) -> Option<Duration> {
        let recovery = &self.recovery;
        let quiet = recovery.phase == Phase::Open && recovery.sacked == 0 && !probed;
        if !P::SELECTIVE || !self.selective() || self.unconfirmed() || !quiet || !self.state.may_transmit() {
            return None;
        }
        // RFC 8985 §7.2: a single segment may be acknowledged late.
        self.probe_after(if self.in_flight() <= self.mss.into() { LATE_ACK } else { EARLY_ACK })
    }

    /// The same while nothing is out of the ordinary, for a peer that acknowledges after `patience` at the latest.
    #[inline(always)]
    fn probe_after(&self, patience: Duration) -> Option<Duration> {
        Some(self.round_trip.srtt()?.saturating_mul(2).saturating_add(patience))
    }

    /// The window is closed and nothing is under way that could bring word of its opening: asks after a while
    /// (RFC 9293 §3.8.6.1).
    pub(crate) fn start_persist_timer(&mut self, now: Instant, resources: &Resources<'_>) {
        self.stuck_since = now;
        self.watch_later(Watch::Persist, now, resources);
    }

    /// The time in `resend_at` has come.
    pub(crate) fn on_resend_timer(&mut self, now: Instant, resources: &mut Resources<'_>) {
        self.resend_at = Instant::MAX;
        if now >= self.stuck_since + self.user_timeout() {
            if P::FAST_OPEN && self.state == State::SynSent {
                self.note_silent_server(now, resources);
            }
            return self.give_up(resources);
        }
        if P::FAST_OPEN && self.unconfirmed() {
            if self.syns > resources.config.syn_ack_retries {
                return self.give_up(resources);
            }
            // What came of our data is of no interest before.
            self.set_syn_due(true);
            self.round_trip.back_off();
            self.todo |= todo::OUTPUT;
            return;
        }
        match self.state {
            State::SynSent | State::SynReceived if Self::OPENING => {
                if self.syns > resources.config.syn_retries {
                    if P::FAST_OPEN {
                        self.note_silent_server(now, resources);
                    }
                    return self.give_up(resources);
                }
                self.nxt = self.una;
                self.congestion.on_syn_lost();
            }
            _ => match self.watch {
                Watch::Persist => {
                    self.set_probe(true);
                    if !self.held() {
                        // A peer may not keep us for ever by a closed window (sockstress).
                        self.linger(now, resources);
                    }
                }
                _ if self.nxt == self.una => return,
                Watch::Tail if P::SELECTIVE => {
                    self.set_probe_tail(true);
                    self.todo |= todo::OUTPUT;
                    return;
                }
                Watch::Reordering if P::SELECTIVE => return self.on_reordering_timer(resources, now),
                _ => {
                    let again = self.round_trip.backoff() > 0;
                    if P::PROBING {
                        self.on_path_timeout(now, again, resources);
                    }
                    self.begin_loss(resources, now, again);
                }
            },
        }
        self.round_trip.back_off();
        self.todo |= todo::OUTPUT;
    }

    /// The peer does not answer. RFC 9293 §3.10.8: the connection ends without a word; a peer that comes back after all is
    /// reset then.
    pub(crate) fn give_up(&mut self, resources: &mut Resources<'_>) {
        let error = if self.unreachable() { Error::HostUnreachable } else { Error::TimedOut };
        self.end(resources, Some(error));
    }

    /// RFC 5681 §4.1: what the network took before a pause says little about now.
    #[inline(always)]
    pub(crate) fn restart_if_idle(&mut self, now: Instant, resources: &Resources<'_>) {
        if self.una == self.nxt && !self.sent_at.is_now(now) {
            self.restart_after_pause(now, resources);
        }
    }

    /// The same where nothing is under way.
    #[inline(never)]
    pub(crate) fn restart_after_pause(&mut self, now: Instant, resources: &Resources<'_>) {
        let idle = self.sent_at.since(now);
        if idle > self.round_trip.rto(resources.config.max_rto) {
            self.congestion.on_idle(now, idle);
            if P::TUNING {
                self.shrink_send_limit(&resources.config);
            }
        }
    }
}

/// What to wait for after the timeout `rto` or, if there is to be a probe, after `pto`.
#[inline(always)]
fn sooner(rto: Duration, pto: Option<Duration>) -> (Watch, Duration) {
    match pto {
        // RFC 8985 §7.2: no later than the timeout, which then comes after the probe.
        Some(pto) => (Watch::Tail, pto.min(rto)),
        None => (Watch::Resend, rto),
    }
}

/// The longest delay of an acknowledgement that we know of: Linux's.
const LATE_ACK: Duration = Duration::from_millis(200);
/// What the peer's timers may add all the same.
const EARLY_ACK: Duration = Duration::from_millis(2);
