//! What connections begin with, as far as it follows from the configuration alone.

use mirage_clock::Duration;
use mirage_congestion::Congestion as _;

use crate::rto::RoundTrip;
use crate::{Config, Profile};

/// What connections begin with: found out once for all of them.
#[derive(Clone, Debug)]
pub(crate) struct Beginning<P: Profile> {
    pub(crate) congestion: P::Congestion,
    pub(crate) round_trip: RoundTrip,
    pub(crate) send_limit: u32,
    /// In milliseconds.
    pub(crate) user_timeout: u32,
}

impl<P: Profile> Beginning<P> {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            congestion: P::Congestion::new(config.default_mss.into(), config.initial_window.into()),
            round_trip: RoundTrip::new(config.initial_rto),
            send_limit: config.first_send_limit::<P>(),
            user_timeout: millis(config.user_timeout),
        }
    }
}

/// Whole milliseconds, at most 49 days.
pub(crate) fn millis(span: Duration) -> u32 {
    span.as_millis().min(u32::MAX.into()) as u32
}
