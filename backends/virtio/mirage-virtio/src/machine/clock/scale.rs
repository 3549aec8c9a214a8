//! From the ticks of a counter to nanoseconds and back.

/// How long ticks last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// Nanoseconds a tick, in 2⁻³².
    nanos: u64,
    /// Ticks a nanosecond, in 2⁻³².
    ticks: u64,
}

impl Scale {
    /// For a counter of `hertz` ticks a second; 0 counts as 1.
    pub(super) fn of(hertz: u64) -> Self {
        let hertz = hertz.max(1);
        Self { nanos: quotient(SECOND, hertz), ticks: quotient(hertz, SECOND) }
    }

    /// The nanoseconds that `ticks` take.
    pub(super) fn to_nanos(self, ticks: u64) -> u64 {
        product(ticks, self.nanos)
    }

    /// The ticks of `nanos`.
    pub(super) fn to_ticks(self, nanos: u64) -> u64 {
        product(nanos, self.ticks)
    }
}

/// `a / b` in 2⁻³², saturating.
fn quotient(a: u64, b: u64) -> u64 {
    u64::try_from((u128::from(a) << 32) / u128::from(b)).unwrap_or(u64::MAX)
}

/// `a × b` where `b` is in 2⁻³², saturating.
fn product(a: u64, b: u64) -> u64 {
    u64::try_from((u128::from(a) * u128::from(b)) >> 32).unwrap_or(u64::MAX)
}

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_of_a_usual_counter_is_right_to_a_millionth() {
        let scale = Scale::of(2_893_202_000);
        let year = 365 * 24 * 3600;
        let nanos = scale.to_nanos(2_893_202_000 * year);
        assert!(nanos.abs_diff(year * SECOND) < year * SECOND / 1_000_000, "{nanos}");
        assert!(scale.to_ticks(nanos).abs_diff(2_893_202_000 * year) < 2_893_202_000 * year / 1_000_000);
    }

    #[test]
    fn slow_and_stopped_counters_do_not_overflow() {
        assert_eq!(Scale::of(1_193_182).to_nanos(1_193_182), 999_999_999);
        assert_eq!(Scale::of(0).to_nanos(u64::MAX), u64::MAX);
        assert_eq!(Scale::of(u64::MAX).to_ticks(u64::MAX), u64::MAX);
    }
}
