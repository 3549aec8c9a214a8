//! The clocks of the machine.
//!
//! Nothing is measured, and no register is read, before somebody asks for the time.

mod alarm;
mod bus;
mod counter;
mod hypervisor;
mod kvm;
mod measure;
mod pit;
mod rate;
mod rtc;
mod scale;

pub(crate) use alarm::{Alarm, alarm};

use core::cell::OnceCell;

use mirage_clock::{Duration, Instant, Monotonic, Timestamp, Wall};

use self::counter::Counter;
use self::kvm::KvmClock;
use super::single::Single;

/// Nanoseconds since about the start of the machine: KVM's clock where it is offered, else the time stamp counter.
///
/// The counter's rate is what the hypervisor or the processor says it is, else it is measured once, which takes 5 or 10 ms at the first
/// call. The clock runs on while the host is suspended or not as the host decides.
#[derive(Clone, Copy, Debug, Default)]
pub struct MonotonicClock;

impl Monotonic for MonotonicClock {
    fn now(&self) -> Instant {
        Instant::from_nanos(source().now())
    }

    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
}

/// The time of day in UTC: KVM's clock where it is offered, else the battery-backed clock of the PC, read once and carried on by
/// [`MonotonicClock`]. A change of the host's clock is not seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Wall for WallClock {
    fn timestamp(&self) -> Option<Timestamp> {
        let start = (*START.get_or_init(start))?;
        let nanos = start.checked_add(source().now())?;
        Some(Timestamp {
            seconds: i64::try_from(nanos / SECOND).ok()?,
            nanos: u32::try_from(nanos % SECOND).unwrap_or_default(),
        })
    }

    fn resolution(&self) -> Duration {
        match source() {
            Source::Kvm(_) => Duration::from_nanos(1),
            Source::Counter(_) => Duration::from_secs(1),
        }
    }
}

/// Where the time comes from.
#[derive(Debug)]
enum Source {
    Kvm(KvmClock),
    Counter(Counter),
}

impl Source {
    /// Nanoseconds since the start.
    fn now(&self) -> u64 {
        match self {
            Self::Kvm(clock) => clock.now(),
            Self::Counter(counter) => counter.now(),
        }
    }

    /// What the time stamp counter will show at `nanos`.
    fn counter_at(&self, nanos: u64) -> u64 {
        match self {
            Self::Kvm(clock) => clock.counter_at(nanos),
            Self::Counter(counter) => counter.counter_at(nanos),
        }
    }
}

fn source() -> &'static Source {
    SOURCE.get_or_init(|| KvmClock::find().map_or_else(|| Source::Counter(Counter::start()), Source::Kvm))
}

/// The time of day at the start of the monotonic clock, in nanoseconds since 1970.
fn start() -> Option<u64> {
    match source() {
        Source::Kvm(clock) => clock.wall_at_start(),
        Source::Counter(counter) => {
            let seconds = u64::try_from(rtc::read()?).ok()?;
            seconds.checked_mul(SECOND)?.checked_sub(counter.now())
        }
    }
}

const SECOND: u64 = 1_000_000_000;

// SAFETY: only the one processor uses it.
static SOURCE: Single<OnceCell<Source>> = unsafe { Single::new(OnceCell::new()) };
// SAFETY: as above.
static START: Single<OnceCell<Option<u64>>> = unsafe { Single::new(OnceCell::new()) };
