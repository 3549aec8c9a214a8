//! What losses and marks do to the model (draft-ietf-ccwg-bbr §5.5.10).

use crate::bbr::Bbr;
use crate::probe_bw::beta;
use crate::sample::{Sample, after};

impl Bbr {
    pub(crate) fn note_loss(&mut self, total: u32) {
        if !self.loss_in_round {
            self.loss_round = total;
        }
        self.loss_in_round = true;
    }

    /// A round trip longer than the shortest by more than an eighth shows a queue. Not in the draft.
    pub(crate) fn look_for_queue(&mut self, sample: &Sample) {
        if let (Some(rtt), Some(shortest)) = (sample.rtt, self.min_rtt.known()) {
            self.queued = rtt > shortest + shortest / 8;
        }
        self.queue_in_round |= self.queued;
    }

    pub(crate) fn is_inflight_too_high(&self, sample: &Sample) -> bool {
        let percent = if self.queued { LOSS_PERCENT } else { LOSS_PERCENT_WITHOUT_QUEUE };
        u64::from(sample.lost) * 100 > u64::from(sample.in_flight_when_sent) * percent
    }

    /// Near the start of an acknowledgement.
    pub(crate) fn update_latest(&mut self, sample: &Sample) {
        self.bw_latest = self.bw_latest.max(sample.rate);
        self.inflight_latest = self.inflight_latest.max(sample.delivered);
        self.loss_round_start = sample.prior_delivered.is_some_and(|prior| !after(self.loss_round, prior));
        if self.loss_round_start {
            self.loss_round = sample.total;
        }
    }

    /// Near its end.
    pub(crate) fn advance_latest(&mut self, sample: &Sample) {
        if self.loss_round_start {
            self.bw_latest = sample.rate;
            self.inflight_latest = sample.delivered;
        }
    }

    /// Once a round trip: slows down towards what was delivered, if something was lost.
    pub(crate) fn adapt_shortterm(&mut self, sample: &Sample) {
        if !self.loss_round_start {
            return;
        }
        let congested = self.mark_in_round || self.queue_in_round || self.is_inflight_too_high(sample);
        if self.loss_in_round && congested && !self.state.is_probing() {
            let (bw, inflight) = (self.bw_shortterm.min(self.max_bw.max()), self.inflight_shortterm);
            self.bw_shortterm = self.bw_latest.max(bw / 10 * 7);
            let inflight = beta(if inflight == u32::MAX { self.cwnd } else { inflight });
            // Marks come before anything is lost, so that what is delivered does not bound what should be.
            self.inflight_shortterm = if self.mark_in_round { inflight } else { inflight.max(self.inflight_latest) };
        }
        self.loss_in_round = false;
        self.mark_in_round = false;
        self.queue_in_round = self.queued;
    }

    pub(crate) fn reset_shortterm(&mut self) {
        self.bw_shortterm = u64::MAX;
        self.inflight_shortterm = u32::MAX;
    }

    pub(crate) fn reset_congestion_signals(&mut self) {
        self.loss_in_round = false;
        self.mark_in_round = false;
        self.bw_latest = 0;
        self.inflight_latest = 0;
    }
}

/// LossThresh.
const LOSS_PERCENT: u64 = 2;
/// The same where round trips show no queue: so much is taken for the noise of the path. Not in the draft.
const LOSS_PERCENT_WITHOUT_QUEUE: u64 = 6;
