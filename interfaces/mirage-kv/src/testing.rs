//! A store in a slice, and the exam for every store.

mod exam;
mod fixed;
mod fixture;

pub use exam::examine;
pub use fixed::Fixed;
pub use fixture::FIXTURE;
