//! Sending little for 200 ms to see the round trip of an empty queue (draft-ietf-ccwg-bbr §5.3.4).

use mirage_clock::{Duration, Instant};

use crate::bbr::Bbr;
use crate::sample::Sample;
use crate::state::{AckPhase, State};

impl Bbr {
    pub(crate) fn check_probe_rtt(&mut self, now: Instant, sample: &Sample, expired: bool) {
        if self.state != State::ProbeRtt && expired && !self.idle_restart {
            self.save_cwnd();
            self.state = State::ProbeRtt;
            self.probe_rtt_until = Instant::MAX;
            self.ack_phase = AckPhase::ProbeStopping;
            self.next_round = sample.total;
        }
        if self.state == State::ProbeRtt {
            self.handle_probe_rtt(now, sample);
        }
        if sample.newly_acked > 0 {
            self.idle_restart = false;
        }
    }

    fn handle_probe_rtt(&mut self, now: Instant, sample: &Sample) {
        // What is sent now says nothing of the bandwidth.
        self.limited_until = Some(sample.total.wrapping_add(sample.in_flight));
        if self.probe_rtt_until != Instant::MAX {
            self.probe_rtt_round_done |= self.round_start;
            if self.probe_rtt_round_done {
                self.check_probe_rtt_done(now, sample.total);
            }
        } else if sample.in_flight <= self.probe_rtt_cwnd() {
            self.probe_rtt_until = now + DURATION;
            self.probe_rtt_round_done = false;
            self.next_round = sample.total;
        }
    }

    pub(crate) fn check_probe_rtt_done(&mut self, now: Instant, total: u32) {
        if now <= self.probe_rtt_until {
            return;
        }
        self.min_rtt.renew(now);
        self.restore_cwnd();
        self.reset_shortterm();
        if self.full_bw_reached {
            self.start_down(now, total);
            self.state = State::Cruise;
        } else {
            self.state = State::Startup;
        }
    }

    pub(crate) fn probe_rtt_cwnd(&self) -> u32 {
        self.bdp(self.bw, State::ProbeRtt.cwnd_gain()).max(self.min_pipe())
    }
}

/// ProbeRTTDuration.
const DURATION: Duration = Duration::from_millis(200);
