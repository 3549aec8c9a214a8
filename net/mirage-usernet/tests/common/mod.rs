//! What the simulated and the real tests share: an executor, a clock with timers, and streams with known content.

#![allow(unreachable_pub, dead_code, reason = "a library to the tests beside it, each of which uses a part")]

mod alarm;
mod content;
mod dice;
mod executor;

pub use alarm::Alarm;
pub use content::{receive, send};
pub use dice::Dice;
pub use executor::{Background, run};

use mirage_clock::Duration;

/// So many milliseconds.
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many seconds.
pub const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
