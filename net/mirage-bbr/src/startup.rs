//! Startup and Drain (draft-ietf-ccwg-bbr §5.3.1, §5.3.2).

use mirage_clock::Instant;

use crate::bbr::Bbr;
use crate::sample::Sample;
use crate::state::State;

impl Bbr {
    pub(crate) fn check_full_pipe(&mut self, sample: &Sample) {
        if self.round_start && !sample.app_limited && sample.rate > 0 {
            self.full_pipe.end_round(sample.rate);
            self.full_bw_reached |= self.full_pipe.now;
        }
    }

    pub(crate) fn check_startup_done(&mut self, sample: &Sample) {
        if self.state != State::Startup {
            return;
        }
        self.check_startup_losses(sample);
        if self.full_bw_reached {
            self.enter_drain();
        }
    }

    fn check_startup_losses(&mut self, sample: &Sample) {
        if sample.newly_lost > 0 {
            self.loss_events = self.loss_events.saturating_add(1);
        }
        if !self.loss_round_start {
            return;
        }
        // The first round of a recovery may have begun before it.
        if self.recovering && self.loss_events >= STARTUP_LOSS_EVENTS && self.is_inflight_too_high(sample) {
            self.leave_startup_for_losses();
        }
        self.loss_events = 0;
    }

    /// Startup has filled the pipe and more.
    pub(crate) fn leave_startup_for_losses(&mut self) {
        self.undo_state = Some(State::Startup);
        self.full_bw_reached = true;
        self.inflight_longterm = self.bdp(self.bw, 100).max(self.inflight_latest);
    }

    fn enter_drain(&mut self) {
        self.state = State::Drain;
        self.drain_start_round = self.round_count;
    }

    pub(crate) fn check_drain_done(&mut self, now: Instant, sample: &Sample) {
        if self.state != State::Drain {
            return;
        }
        let long = self.round_count.wrapping_sub(self.drain_start_round) > 3;
        if long || sample.in_flight <= self.inflight(self.bw, 100) {
            self.start_down(now, sample.total);
        }
    }
}

/// BBRStartupFullLossCnt. Acknowledgements that told of losses stand for "discontiguous sequence ranges".
const STARTUP_LOSS_EVENTS: u8 = 6;
