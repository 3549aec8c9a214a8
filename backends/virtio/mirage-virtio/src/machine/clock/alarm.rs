//! What to tell the timer.

use core::cell::OnceCell;

use mirage_clock::Instant;

use super::scale::Scale;
use super::{bus, source};
use crate::machine::cpu::apic;
use crate::machine::single::Single;

/// What the timer is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// A value of the time stamp counter.
    Deadline(u64),
    /// Ticks from now on.
    Count(u32),
}

/// The alarm for `until`, by `vector`; `None` when that time has come.
pub(crate) fn alarm(until: Instant, vector: u8) -> Option<Alarm> {
    let now = source().now();
    if until.as_nanos() <= now {
        return None;
    }
    Some(match TIMER.get_or_init(|| Timer::start(vector)) {
        Timer::Deadline => Alarm::Deadline(source().counter_at(until.as_nanos()).max(1)),
        Timer::Count(scale) => Alarm::Count(count(*scale, until.as_nanos() - now)),
    })
}

/// What the timer understands.
#[derive(Clone, Copy, Debug)]
enum Timer {
    Deadline,
    Count(Scale),
}

impl Timer {
    fn start(vector: u8) -> Self {
        if apic::has_deadline() {
            apic::deadline_by(vector);
            Self::Deadline
        } else {
            let scale = Scale::of(bus::hertz() / apic::DIVISOR);
            apic::count_by(vector);
            Self::Count(scale)
        }
    }
}

/// Never 0, which would stop the timer, and not more than it can count: then it comes early.
fn count(scale: Scale, nanos: u64) -> u32 {
    u32::try_from(scale.to_ticks(nanos).saturating_add(1)).unwrap_or(u32::MAX)
}

// SAFETY: only the one processor uses it.
static TIMER: Single<OnceCell<Timer>> = unsafe { Single::new(OnceCell::new()) };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_at_least_one_and_at_most_what_fits() {
        let scale = Scale::of(62_500_000);
        assert_eq!(count(scale, 1), 1);
        assert_eq!(count(scale, 1_600), 101);
        assert_eq!(count(scale, u64::MAX), u32::MAX);
    }
}
