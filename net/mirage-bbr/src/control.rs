//! From the model to a rate and a window (draft-ietf-ccwg-bbr §5.6).

use mirage_clock::Duration;

use crate::bbr::Bbr;
use crate::sample::Sample;
use crate::state::State;

impl Bbr {
    pub(crate) fn set_pacing_rate(&mut self, gain: u64) {
        // One percent below the bandwidth, so that queues run empty.
        let rate = (self.bw.saturating_mul(gain) / 100).saturating_mul(99) / 100;
        if self.full_bw_reached || rate > self.pacing_rate {
            self.pacing_rate = rate.max(self.mss.into());
        }
    }

    /// Before anything is known of the bandwidth: the initial window in a round trip, taken for a millisecond if that is not
    /// known either.
    pub(crate) fn init_pacing_rate(&mut self, rtt: Option<Duration>) {
        let micros = rtt.unwrap_or(Duration::from_millis(1)).as_micros().max(1);
        let rate = u64::from(self.cwnd) * 1_000_000 / micros;
        self.pacing_rate = (rate * State::Startup.pacing_gain() / 100).max(self.mss.into());
    }

    pub(crate) fn set_cwnd(&mut self, sample: &Sample) {
        let most = self.max_inflight();
        let more = self.cwnd.saturating_add(sample.newly_acked);
        if self.full_bw_reached {
            self.cwnd = more.min(most);
        } else if self.cwnd < most || self.initial_left > 0 {
            self.cwnd = more;
        }
        self.initial_left = self.initial_left.saturating_sub(sample.newly_acked);
        self.cwnd = self.cwnd.max(self.min_pipe());
        if self.state == State::ProbeRtt {
            self.cwnd = self.cwnd.min(self.probe_rtt_cwnd());
        }
        let longterm = match self.state {
            State::Down | State::Refill | State::Up => self.inflight_longterm,
            State::Cruise | State::ProbeRtt => self.inflight_with_headroom(),
            State::Startup | State::Drain => u32::MAX,
        };
        self.cwnd = self.cwnd.min(longterm.min(self.inflight_shortterm).max(self.min_pipe()));
    }

    /// `gain` hundredths of the product of bandwidth and delay, with room for what offloads hold back.
    pub(crate) fn inflight(&self, bw: u64, gain: u64) -> u32 {
        self.with_room(self.bdp(bw, gain))
    }

    fn max_inflight(&self) -> u32 {
        self.with_room(self.bdp(self.bw, self.state.cwnd_gain()).saturating_add(self.aggregation.extra()))
    }

    fn with_room(&self, inflight: u32) -> u32 {
        // A millisecond's worth is sent at one time, for three such are the sender, the device and the receiver.
        let quantum = (self.pacing_rate / 1000).min(64 * 1024).max(u64::from(2 * self.mss)) as u32;
        let inflight = inflight.max(3 * quantum).max(self.min_pipe());
        if self.state == State::Up { inflight.saturating_add(2 * self.mss) } else { inflight }
    }

    /// `gain` hundredths of `bw` times the shortest round trip; the initial window before one was measured.
    pub(crate) fn bdp(&self, bw: u64, gain: u64) -> u32 {
        match self.min_rtt.known() {
            None => self.cwnd,
            Some(rtt) => bytes_over(bw.saturating_mul(gain) / 100, rtt),
        }
    }

    /// The least that keeps data and acknowledgements moving.
    pub(crate) fn min_pipe(&self) -> u32 {
        4 * self.mss
    }

    pub(crate) fn is_cwnd_limited(&self) -> bool {
        self.limited_in_round || self.limited_in_last_round
    }
}

/// What `rate` bytes a second deliver in `span`, which counts in steps of 64 ns: the product of 137 Gbit/s and a minute fits.
pub(crate) fn bytes_over(rate: u64, span: Duration) -> u32 {
    let bytes = rate.saturating_mul(span.as_nanos() >> 6) / (1_000_000_000 >> 6);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
