//! The shortest round trip of ten seconds, and when to look for it (draft-ietf-ccwg-bbr §5.3.4.3).

use mirage_clock::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub(crate) struct MinRtt {
    /// BBR.min_rtt; [`Duration::MAX`] before the first sample.
    min: Duration,
    min_at: Instant,
    /// BBR.probe_rtt_min_delay.
    recent: Duration,
    recent_at: Instant,
}

impl MinRtt {
    pub(crate) const UNKNOWN: Self =
        Self { min: Duration::MAX, min_at: Instant::ZERO, recent: Duration::MAX, recent_at: Instant::ZERO };

    pub(crate) fn known(&self) -> Option<Duration> {
        (self.min != Duration::MAX).then_some(self.min)
    }

    /// Whether the recent one was five seconds old: BBR.probe_rtt_expired.
    pub(crate) fn update(&mut self, now: Instant, rtt: Option<Duration>) -> bool {
        let expired = self.recent != Duration::MAX && now > self.recent_at + PROBE_INTERVAL;
        if let Some(rtt) = rtt
            && (rtt < self.recent || expired)
        {
            (self.recent, self.recent_at) = (rtt, now);
        }
        if self.recent < self.min || now > self.min_at + FILTER {
            (self.min, self.min_at) = (self.recent, self.recent_at);
        }
        expired
    }

    /// A look at it has just ended.
    pub(crate) fn renew(&mut self, now: Instant) {
        self.recent_at = now;
    }
}

/// MinRTTFilterLen.
const FILTER: Duration = Duration::from_secs(10);
/// ProbeRTTInterval.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
