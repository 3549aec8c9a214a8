//! The controller: its state, and what it does when it is told something.

use mirage_clock::{Duration, Instant};
use mirage_congestion::{Ack, Congestion, Flight, Memory, Signal};

use crate::aggregation::Aggregation;
use crate::bandwidth::MaxBandwidth;
use crate::full_pipe::FullPipe;
use crate::min_rtt::MinRtt;
use crate::sample::{Sample, after};
use crate::state::{AckPhase, State};
use crate::undo::Undo;

/// BBR version 3: sends as fast as the path was seen to deliver, and from time to time looks whether it delivers more.
///
/// Field names that differ from those of draft-ietf-ccwg-bbr are explained.
#[derive(Clone, Copy, Debug)]
pub struct Bbr {
    // What it answers.
    pub(crate) pacing_rate: u64,
    pub(crate) cwnd: u32,
    /// The window that recovery and ProbeRTT give back.
    pub(crate) prior_cwnd: u32,
    pub(crate) mss: u32,
    /// Segments of the initial window; 0 once something was acknowledged.
    initial: u16,
    pub(crate) state: State,
    pub(crate) ack_phase: AckPhase,

    // The model of the path. An infinite bound is the largest number.
    pub(crate) max_bw: MaxBandwidth,
    pub(crate) bw: u64,
    pub(crate) bw_shortterm: u64,
    pub(crate) bw_latest: u64,
    pub(crate) min_rtt: MinRtt,
    pub(crate) aggregation: Aggregation,
    pub(crate) inflight_longterm: u32,
    pub(crate) inflight_shortterm: u32,
    pub(crate) inflight_latest: u32,
    pub(crate) full_pipe: FullPipe,

    // Round trips, in bytes delivered modulo 2³². `total` is C.delivered at the last acknowledgement.
    pub(crate) total: u32,
    pub(crate) next_round: u32,
    pub(crate) loss_round: u32,
    pub(crate) round_count: u32,
    pub(crate) drain_start_round: u32,
    pub(crate) rounds_since_up: u32,
    /// Until this has been delivered, samples are of what we held back ourselves.
    pub(crate) limited_until: Option<u32>,

    // Probing.
    pub(crate) cycle_start: Instant,
    /// Milliseconds.
    pub(crate) probe_wait: u32,
    /// [`Instant::MAX`] until little enough is under way.
    pub(crate) probe_rtt_until: Instant,
    pub(crate) probe_up_acked: u32,
    pub(crate) probe_up_acked_per_segment: u32,
    /// Of the initial window, what is not delivered yet.
    pub(crate) initial_left: u32,
    pub(crate) probe_up_rounds: u8,
    /// Acknowledgements of this round that told of losses.
    pub(crate) loss_events: u8,

    pub(crate) round_start: bool,
    pub(crate) loss_round_start: bool,
    pub(crate) loss_in_round: bool,
    pub(crate) mark_in_round: bool,
    /// There is a queue, as far as the last round trip that was measured shows; there was one in this round.
    pub(crate) queued: bool,
    pub(crate) queue_in_round: bool,
    pub(crate) full_bw_reached: bool,
    pub(crate) is_probe_sample: bool,
    pub(crate) prev_probe_too_high: bool,
    pub(crate) prev_probe_precautionary: bool,
    pub(crate) probe_rtt_round_done: bool,
    pub(crate) idle_restart: bool,
    /// Whether the window has kept the sender from sending, in this round and the last.
    pub(crate) limited_in_round: bool,
    pub(crate) limited_in_last_round: bool,
    /// Losses are being repaired.
    pub(crate) recovering: bool,
    /// What was under way at a timeout is being sent again.
    after_timeout: bool,
    /// Nothing was acknowledged since.
    silent: bool,

    pub(crate) undo: Undo,
    /// The state that was left for the last loss, Startup or Up.
    pub(crate) undo_state: Option<State>,
}

impl Bbr {
    fn set_initial_window(&mut self) {
        // RFC 6928 §2: "min (10*MSS, max (2*MSS, 14600))".
        let segments = u32::from(self.initial);
        let most = if segments <= 10 { (2 * self.mss).max(14_600) } else { u32::MAX };
        self.cwnd = (segments * self.mss).min(most).max(self.mss);
        self.initial_left = self.cwnd;
        self.init_pacing_rate(None);
    }

    fn update_round(&mut self, sample: &Sample) {
        self.round_start = sample.prior_delivered.is_some_and(|prior| !after(self.next_round, prior));
        if !self.round_start {
            return;
        }
        self.next_round = sample.total;
        self.round_count = self.round_count.wrapping_add(1);
        self.rounds_since_up = self.rounds_since_up.saturating_add(1);
        self.limited_in_last_round = core::mem::take(&mut self.limited_in_round);
        self.aggregation.end_round(self.full_bw_reached);
    }

    fn update_max_bw(&mut self, sample: &Sample) {
        if sample.rate > 0 && (sample.rate >= self.max_bw.max() || !sample.app_limited) {
            self.max_bw.update(sample.rate);
        }
    }
}

impl Congestion for Bbr {
    const PROPORTIONAL: bool = false;

    fn new(mss: u32, segments: u32) -> Self {
        let mut bbr = Self {
            pacing_rate: 0,
            cwnd: 0,
            prior_cwnd: 0,
            mss: 0,
            initial: segments.clamp(1, u16::MAX.into()) as u16,
            state: State::Startup,
            ack_phase: AckPhase::Init,
            max_bw: MaxBandwidth::default(),
            bw: 0,
            bw_shortterm: u64::MAX,
            bw_latest: 0,
            min_rtt: MinRtt::UNKNOWN,
            aggregation: Aggregation::NONE,
            inflight_longterm: u32::MAX,
            inflight_shortterm: u32::MAX,
            inflight_latest: 0,
            full_pipe: FullPipe::default(),
            total: 0,
            next_round: 0,
            loss_round: 0,
            round_count: 0,
            drain_start_round: 0,
            rounds_since_up: 0,
            limited_until: None,
            cycle_start: Instant::ZERO,
            probe_wait: 0,
            probe_rtt_until: Instant::MAX,
            probe_up_acked: 0,
            probe_up_acked_per_segment: u32::MAX,
            initial_left: 0,
            probe_up_rounds: 0,
            loss_events: 0,
            round_start: false,
            loss_round_start: false,
            loss_in_round: false,
            mark_in_round: false,
            queued: false,
            queue_in_round: false,
            full_bw_reached: false,
            is_probe_sample: false,
            prev_probe_too_high: false,
            prev_probe_precautionary: false,
            probe_rtt_round_done: false,
            idle_restart: false,
            limited_in_round: false,
            limited_in_last_round: false,
            recovering: false,
            after_timeout: false,
            silent: false,
            undo: Undo::NOTHING,
            undo_state: None,
        };
        bbr.set_mss(mss);
        bbr
    }

    fn set_mss(&mut self, mss: u32) {
        self.mss = mss.clamp(1, u16::MAX.into());
        if self.initial > 0 {
            self.set_initial_window();
        }
        self.cwnd = self.cwnd.max(self.mss);
    }

    fn window(&self) -> u32 {
        self.cwnd
    }

    /// The long-term bound on what is under way; nothing in BBR is a threshold of slow start.
    fn ssthresh(&self) -> u32 {
        self.inflight_longterm
    }

    fn pacing_rate(&self) -> Option<u64> {
        Some(self.pacing_rate)
    }

    fn on_sent(&mut self, now: Instant, _bytes: u32, flight: &Flight) {
        if flight.bytes > 0 || self.silent {
            return;
        }
        // draft-ietf-ccwg-bbr §5.4.1: restarting from idle.
        self.idle_restart = true;
        self.aggregation.restart(now);
        if self.state.is_probe_bw() {
            self.set_pacing_rate(100);
        } else if self.state == State::ProbeRtt {
            self.check_probe_rtt_done(now, flight.delivered);
        }
    }

    fn on_ack(&mut self, now: Instant, ack: &Ack) {
        let sample = Sample::new(ack, self.limited_until);
        self.initial = 0;
        if self.min_rtt.known().is_none() && ack.rtt.is_some() {
            self.init_pacing_rate(ack.rtt);
        }
        self.recovering = ack.recovering || self.after_timeout;
        self.silent = false;
        self.total = sample.total;
        self.limited_in_round |= ack.flight.window_limited;
        if sample.prior_delivered.is_some_and(|prior| self.limited_until.is_some_and(|until| after(prior, until))) {
            self.limited_until = None;
        }
        if sample.newly_lost > 0 {
            self.note_loss(sample.total);
        }
        self.look_for_queue(&sample);
        self.update_latest(&sample);
        self.update_round(&sample);
        self.update_max_bw(&sample);
        self.adapt_shortterm(&sample);
        self.aggregation.update(now, self.bw, sample.newly_acked, self.cwnd);
        self.check_full_pipe(&sample);
        self.check_startup_done(&sample);
        self.check_drain_done(now, &sample);
        self.update_cycle(now, &sample);
        let expired = self.min_rtt.update(now, sample.rtt);
        self.check_probe_rtt(now, &sample, expired);
        self.advance_latest(&sample);
        self.bw = self.max_bw.max().min(self.bw_shortterm);
        self.set_pacing_rate(self.state.pacing_gain());
        self.set_cwnd(&sample);
    }

    fn on_congestion(&mut self, now: Instant, signal: Signal, flight: &Flight) {
        match signal {
            Signal::Loss => {
                self.save_state();
                self.recovering = true;
            }
            Signal::Mark => {
                self.note_loss(flight.delivered);
                self.mark_in_round = true;
                if self.state == State::Startup {
                    self.leave_startup_for_losses();
                } else if self.is_probe_sample {
                    self.handle_inflight_too_high(now, flight.bytes, false);
                }
            }
        }
    }

    fn on_recovered(&mut self, _now: Instant, _flight: &Flight) {
        (self.recovering, self.after_timeout) = (false, false);
        self.restore_cwnd();
    }

    fn on_timeout(&mut self, _now: Instant, flight: &Flight, again: bool) {
        if again {
            self.save_cwnd();
        } else {
            self.save_state();
        }
        self.note_loss(flight.delivered);
        (self.recovering, self.after_timeout, self.silent) = (true, true, true);
        // One segment may go: all that was under way is thought lost.
        self.cwnd = self.mss;
    }

    fn undo(&mut self, _now: Instant, _before: &Memory) {
        (self.recovering, self.after_timeout, self.silent) = (false, false, false);
        self.restore_state();
    }

    /// The window stays: what leaves after an idle time is paced.
    fn on_idle(&mut self, _now: Instant, _idle: Duration) {}

    fn on_syn_lost(&mut self) {
        if self.initial > 0 {
            self.initial = 1;
            self.set_initial_window();
        }
    }
}

const _: () = assert!(size_of::<Bbr>() <= 256);
