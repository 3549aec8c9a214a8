//! Probing for bandwidth: down, cruise, refill, up (draft-ietf-ccwg-bbr §5.3.3).

use mirage_clock::{Duration, Instant};

use crate::bbr::Bbr;
use crate::full_pipe::FullPipe;
use crate::sample::Sample;
use crate::state::{AckPhase, State};

impl Bbr {
    pub(crate) fn update_cycle(&mut self, now: Instant, sample: &Sample) {
        if !self.full_bw_reached || self.adapt_longterm(now, sample) {
            return;
        }
        match self.state {
            State::Down => {
                if self.is_time_to_probe(now) {
                    self.start_refill(sample.total);
                } else if self.is_time_to_cruise(sample) {
                    self.state = State::Cruise;
                }
            }
            State::Cruise => {
                if self.is_time_to_probe(now) {
                    self.start_refill(sample.total);
                }
            }
            State::Refill => {
                if self.round_start {
                    self.is_probe_sample = true;
                    self.start_up(sample);
                }
            }
            State::Up => {
                if self.is_time_to_go_down(sample) {
                    self.prev_probe_too_high = false;
                    self.start_down(now, sample.total);
                }
            }
            State::Startup | State::Drain | State::ProbeRtt => {}
        }
    }

    pub(crate) fn start_down(&mut self, now: Instant, total: u32) {
        self.reset_congestion_signals();
        self.probe_up_acked_per_segment = u32::MAX;
        self.pick_probe_wait(now, total);
        self.cycle_start = now;
        self.ack_phase = AckPhase::ProbeStopping;
        self.next_round = total;
        self.state = State::Down;
    }

    pub(crate) fn start_refill(&mut self, total: u32) {
        self.reset_shortterm();
        self.probe_up_rounds = 0;
        self.probe_up_acked = 0;
        self.prev_probe_precautionary = false;
        self.ack_phase = AckPhase::Refilling;
        self.next_round = total;
        self.state = State::Refill;
    }

    fn start_up(&mut self, sample: &Sample) {
        self.ack_phase = AckPhase::ProbeStarting;
        self.next_round = sample.total;
        self.full_pipe = FullPipe::from(sample.rate);
        self.state = State::Up;
        self.raise_slope();
    }

    /// Chooses how long to wait, in round trips and in time. The draft wants chance here; the time and what was delivered by now
    /// differ between connections enough.
    fn pick_probe_wait(&mut self, now: Instant, total: u32) {
        let mixed = (now.as_nanos() ^ u64::from(total).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = mixed ^ mixed >> 29;
        self.rounds_since_up = (mixed >> 63) as u32;
        self.probe_wait = 2000 + ((mixed >> 16) % 1000) as u32;
    }

    fn is_time_to_probe(&self, now: Instant) -> bool {
        // T_reno: no more rarely than a Reno flow of this size would lose something, and than 63 round trips.
        let rounds = (self.target_inflight() / self.mss.max(1)).min(63);
        now > self.cycle_start + Duration::from_millis(self.probe_wait.into()) || self.rounds_since_up >= rounds
    }

    fn is_time_to_cruise(&self, sample: &Sample) -> bool {
        sample.in_flight <= self.inflight_with_headroom() && sample.in_flight <= self.inflight(self.max_bw.max(), 100)
    }

    fn is_time_to_go_down(&mut self, sample: &Sample) -> bool {
        if self.prev_probe_too_high && sample.in_flight >= self.inflight_longterm {
            self.prev_probe_precautionary = true;
            return true;
        }
        if self.is_cwnd_limited() && self.cwnd >= self.inflight_longterm {
            self.full_pipe = FullPipe::from(sample.rate);
            return false;
        }
        self.full_pipe.now
    }

    /// Follows what acknowledgements say about the last probe. Whether it decided on a state.
    fn adapt_longterm(&mut self, now: Instant, sample: &Sample) -> bool {
        if self.round_start && self.ack_phase == AckPhase::ProbeStarting {
            self.ack_phase = AckPhase::ProbeFeedback;
        }
        if self.round_start && self.ack_phase == AckPhase::ProbeStopping {
            self.is_probe_sample = false;
            self.ack_phase = AckPhase::Init;
            if self.state.is_probe_bw() {
                if !sample.app_limited {
                    self.max_bw.advance();
                }
                if self.prev_probe_precautionary && !self.prev_probe_too_high {
                    self.start_refill(sample.total);
                    return true;
                }
            }
        }
        if self.is_inflight_too_high(sample) {
            if self.is_probe_sample {
                return self.handle_inflight_too_high(now, sample.in_flight_when_sent, sample.app_limited);
            }
        } else if self.inflight_longterm != u32::MAX {
            self.inflight_longterm = self.inflight_longterm.max(sample.in_flight_when_sent);
            if self.state == State::Up {
                self.probe_upward(sample);
            }
        }
        false
    }

    /// Raises the long-term bound while it is in the way, faster each round trip.
    fn probe_upward(&mut self, sample: &Sample) {
        if !self.is_cwnd_limited() || self.cwnd < self.inflight_longterm {
            return;
        }
        self.probe_up_acked = self.probe_up_acked.saturating_add(sample.newly_acked);
        let per_segment = self.probe_up_acked_per_segment.max(1);
        if self.probe_up_acked >= per_segment {
            let segments = self.probe_up_acked / per_segment;
            self.probe_up_acked %= per_segment;
            self.inflight_longterm = self.inflight_longterm.saturating_add(segments.saturating_mul(self.mss));
        }
        if self.round_start {
            self.raise_slope();
        }
    }

    fn raise_slope(&mut self) {
        self.probe_up_acked_per_segment = (self.cwnd >> self.probe_up_rounds).max(self.mss);
        self.probe_up_rounds = (self.probe_up_rounds + 1).min(30);
    }

    /// Too much was under way during a probe: bounds it and ends the probe. Whether that was a change of state.
    pub(crate) fn handle_inflight_too_high(&mut self, now: Instant, in_flight: u32, app_limited: bool) -> bool {
        self.prev_probe_too_high = true;
        self.is_probe_sample = false;
        if !app_limited {
            self.inflight_longterm = in_flight.max(beta(self.target_inflight()));
        }
        if self.state != State::Up {
            return false;
        }
        self.undo_state = Some(State::Up);
        self.start_down(now, self.total);
        true
    }

    /// The product of bandwidth and delay, unless congestion made the window smaller.
    fn target_inflight(&self) -> u32 {
        self.bdp(self.bw, 100).min(self.cwnd)
    }

    /// The long-term bound less 15 % for others.
    pub(crate) fn inflight_with_headroom(&self) -> u32 {
        if self.inflight_longterm == u32::MAX {
            return u32::MAX;
        }
        let headroom = (u64::from(self.inflight_longterm) * 15 / 100) as u32;
        self.inflight_longterm.saturating_sub(headroom.max(self.mss)).max(self.min_pipe())
    }
}

/// Seven tenths: what is left after congestion.
pub(crate) fn beta(bytes: u32) -> u32 {
    (u64::from(bytes) * 7 / 10) as u32
}
