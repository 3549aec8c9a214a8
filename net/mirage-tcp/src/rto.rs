//! How long to wait for an acknowledgement (RFC 6298).

use mirage_clock::Duration;

/// What a connection knows of its round trips, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundTrip {
    /// Eight times the smoothed round-trip time; 0 until the first sample.
    srtt: u32,
    /// Four times its variation.
    rttvar: u32,
    /// The timeout before doubling, at most 2²⁷ − 1; and above it, how often it is doubled.
    rto: u32,
}

impl RoundTrip {
    /// Nothing is known yet: the first timeout is `initial` (RFC 6298 §2.1: one second).
    pub(crate) fn new(initial: Duration) -> Self {
        Self { srtt: 0, rttvar: 0, rto: micros(initial).min(MAX_RTO) }
    }

    /// Learns from a segment that was sent once and acknowledged after `rtt` (§2.2, §2.3; §3, Karn's algorithm: never
    /// from one that was sent again). The timeout is at least `min` longer than a round trip, and no longer doubled.
    #[inline(never)]
    pub(crate) fn sample(&mut self, rtt: Duration, min: Duration) {
        self.sample_here(rtt, min);
    }

    /// The same in the place of the call.
    #[inline(always)]
    pub(crate) fn sample_here(&mut self, rtt: Duration, min: Duration) {
        self.sample_with(rtt, patience(min));
    }

    /// The same where the [patience](patience()) with each timeout is known.
    #[inline(always)]
    pub(crate) fn sample_with(&mut self, rtt: Duration, least: u32) {
        // At most a minute, so that nothing overflows; at least a microsecond, so that 0 stays "unknown".
        let rtt = micros(rtt.min(Duration::from_micros(MAX_SAMPLE.into()))).max(1);
        if self.srtt == 0 {
            self.srtt = 8 * rtt;
            self.rttvar = 2 * rtt;
        } else {
            // §2.3: RTTVAR <- 3/4 RTTVAR + 1/4 |SRTT - R'|, SRTT <- 7/8 SRTT + 1/8 R'.
            let error = (self.srtt / 8).abs_diff(rtt);
            self.rttvar = self.rttvar - self.rttvar / 4 + error;
            self.srtt = self.srtt - self.srtt / 8 + rtt;
        }
        // "RTO <- SRTT + max (G, K*RTTVAR)": what we ask for at least is above the round trip, as a peer's delay is.
        let patience = self.rttvar.max(least);
        self.rto = (self.srtt / 8).saturating_add(patience).min(MAX_RTO);
    }

    /// The same for what is not measured with each segment.
    #[inline(never)]
    pub(crate) fn sample_seldom(&mut self, rtt: Duration, min: Duration) {
        self.sample(rtt, min);
    }

    /// How long to wait for the next acknowledgement, at most `max` (§2.5).
    pub(crate) fn rto(&self, max: Duration) -> Duration {
        let doubled = u64::from(self.rto & MAX_RTO) << self.backoff();
        Duration::from_micros(doubled).min(max)
    }

    /// It went off: doubles it (§5.5).
    pub(crate) fn back_off(&mut self) {
        if self.backoff() < MAX_BACKOFF {
            self.rto += 1 << BACKOFF_SHIFT;
        }
    }

    /// New data was acknowledged: it is no longer doubled.
    pub(crate) fn reset_backoff(&mut self) {
        self.rto &= MAX_RTO;
    }

    /// How often it went off in a row.
    pub(crate) fn backoff(&self) -> u8 {
        (self.rto >> BACKOFF_SHIFT) as u8
    }

    /// A SYN had to be sent again, so there is no sample from the handshake: §5.7 wants at least three seconds when data
    /// starts to flow.
    pub(crate) fn restart_after_lost_syn(&mut self) {
        self.reset_backoff();
        if self.srtt == 0 {
            self.rto = self.rto.max(RTO_AFTER_LOST_SYN);
        }
    }

    /// The smoothed round-trip time, or `None` before the first sample.
    pub(crate) fn srtt(&self) -> Option<Duration> {
        (self.srtt != 0).then(|| Duration::from_micros(u64::from(self.srtt / 8)))
    }

    /// How much it varies.
    pub(crate) fn rttvar(&self) -> Duration {
        Duration::from_micros(u64::from(self.rttvar / 4))
    }
}

/// By how much a timeout is longer than a round trip at least, in microseconds, if that is to be `min`.
pub(crate) fn patience(min: Duration) -> u32 {
    micros(min).max(GRANULARITY)
}

/// Whole microseconds, at most 2³² − 1.
fn micros(span: Duration) -> u32 {
    span.as_micros().min(u64::from(u32::MAX)) as u32
}

const MAX_SAMPLE: u32 = 60_000_000;
/// G of §2: what we are told the time in is finer than this.
const GRANULARITY: u32 = 1_000;
const MAX_BACKOFF: u8 = 16;
const BACKOFF_SHIFT: u32 = 27;
/// More than two minutes.
const MAX_RTO: u32 = (1 << BACKOFF_SHIFT) - 1;
const RTO_AFTER_LOST_SYN: u32 = 3_000_000;

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const MIN: Duration = Duration::from_millis(200);
    const MAX: Duration = Duration::from_secs(60);
    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn fresh() -> RoundTrip {
        RoundTrip::new(Duration::from_secs(1))
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<RoundTrip>() <= 12);
    }

    #[test]
    fn the_first_sample_counts_threefold() {
        let mut round_trip = fresh();
        assert_eq!(round_trip.rto(MAX), MS(1000));
        assert_eq!(round_trip.srtt(), None);
        round_trip.sample(MS(100), MIN);
        assert_eq!(round_trip.srtt(), Some(MS(100)));
        assert_eq!(round_trip.rttvar(), MS(50));
        assert_eq!(round_trip.rto(MAX), MS(300));
    }

    #[test]
    fn later_samples_are_smoothed_as_the_rfc_says() {
        let mut round_trip = fresh();
        round_trip.sample(MS(100), MIN);
        round_trip.sample(MS(180), MIN);
        // SRTT = 7/8 100 + 1/8 180 = 110; RTTVAR = 3/4 50 + 1/4 80 = 57.5; RTO = 110 + 4 * 57.5.
        assert_eq!(round_trip.srtt(), Some(MS(110)));
        assert_eq!(round_trip.rttvar(), Duration::from_micros(57_500));
        assert_eq!(round_trip.rto(MAX), MS(340));
    }

    #[test]
    fn the_timeout_is_longer_than_a_round_trip_by_the_minimum() {
        let mut round_trip = fresh();
        for _ in 0..100 {
            round_trip.sample(Duration::from_micros(30), MIN);
        }
        let rtt = round_trip.srtt().unwrap();
        assert_eq!(round_trip.rto(MAX), MIN + rtt);
        round_trip.sample(Duration::ZERO, MIN);
        assert!(round_trip.srtt().is_some());
    }

    #[test]
    fn it_doubles_up_to_the_maximum_and_a_sample_ends_that() {
        let mut round_trip = fresh();
        let waits: Vec<u64> = (0..8)
            .map(|_| {
                let wait = round_trip.rto(MAX).as_secs();
                round_trip.back_off();
                wait
            })
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        round_trip.sample(MS(100), MIN);
        assert_eq!((round_trip.rto(MAX), round_trip.backoff()), (MS(300), 0));
    }

    #[test]
    fn after_a_lost_syn_data_waits_three_seconds() {
        let mut round_trip = fresh();
        round_trip.back_off();
        round_trip.restart_after_lost_syn();
        assert_eq!(round_trip.rto(MAX), MS(3000));
    }

    proptest! {
        #[test]
        fn any_samples_give_a_timeout_between_its_bounds(samples: Vec<u64>, backoffs in 0_u8..255) {
            let mut round_trip = fresh();
            for sample in samples {
                round_trip.sample(Duration::from_nanos(sample), MIN);
            }
            for _ in 0..backoffs {
                round_trip.back_off();
            }
            prop_assert!((MIN..=MAX).contains(&round_trip.rto(MAX)));
        }

        #[test]
        fn a_steady_path_is_learnt(rtt in 1_000_u64..2_000_000) {
            let mut round_trip = fresh();
            for _ in 0..200 {
                round_trip.sample(Duration::from_micros(rtt), MIN);
            }
            let srtt = round_trip.srtt().unwrap().as_micros();
            prop_assert!(srtt.abs_diff(rtt) <= 1, "{srtt}");
        }
    }
}
