//! Conversions to and from `fugit` for users whose code speaks it.

use crate::Duration;

impl From<fugit::NanosDurationU64> for Duration {
    fn from(span: fugit::NanosDurationU64) -> Self {
        Self::from_nanos(span.as_ticks())
    }
}

impl From<Duration> for fugit::NanosDurationU64 {
    fn from(span: Duration) -> Self {
        Self::from_ticks(span.as_nanos())
    }
}
