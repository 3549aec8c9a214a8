//! What the simulated and the real tests share: an executor, a clock with timers, and streams with known content.

#![allow(
    unreachable_pub,
    dead_code,
    unused_imports,
    reason = "a library to the tests beside it, each of which uses a part"
)]

mod alarm;
mod content;
mod executor;

pub use ::lab::{Dice, ms, s};
pub use alarm::Alarm;
pub use content::{receive, send};
pub use executor::{Background, run};
