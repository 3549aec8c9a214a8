//! What one acknowledgement tells, in the terms of draft-ietf-ccwg-bbr §2.3.

use mirage_clock::Duration;
use mirage_congestion::Ack;

/// RS of the draft. Without a measured rate `rate` is 0 and there is no `prior_delivered`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Bytes a second.
    pub(crate) rate: u64,
    pub(crate) delivered: u32,
    pub(crate) prior_delivered: Option<u32>,
    pub(crate) in_flight_when_sent: u32,
    pub(crate) lost: u32,
    pub(crate) app_limited: bool,
    pub(crate) newly_acked: u32,
    pub(crate) newly_lost: u32,
    /// C.inflight.
    pub(crate) in_flight: u32,
    /// C.delivered, modulo 2³².
    pub(crate) total: u32,
    pub(crate) rtt: Option<Duration>,
}

impl Sample {
    /// Samples of what was sent before `limited_until` was delivered say nothing of the path.
    pub(crate) fn new(ack: &Ack, limited_until: Option<u32>) -> Self {
        let rate = ack.rate.unwrap_or_default();
        let held_back = limited_until.is_some_and(|until| !after(rate.prior_delivered, until));
        Self {
            rate: if ack.rate.is_some() { rate.bytes_per_second() } else { 0 },
            delivered: rate.delivered,
            prior_delivered: ack.rate.map(|rate| rate.prior_delivered),
            in_flight_when_sent: rate.in_flight_when_sent,
            lost: rate.lost,
            app_limited: rate.app_limited || held_back,
            newly_acked: ack.delivered,
            newly_lost: ack.lost,
            in_flight: ack.flight.bytes,
            total: ack.flight.delivered,
            rtt: ack.rtt,
        }
    }
}

/// Whether a count modulo 2³² is larger than another.
pub(crate) fn after(count: u32, other: u32) -> bool {
    (count.wrapping_sub(other) as i32) > 0
}
