//! A laboratory: hosts on a simulated network, tasks that use them, and time that moves from event to event.
//!
//! Everything happens in virtual time and follows from seeds. When a test fails, its last frames are left in
//! `target/pcap/<test>.pcap`.

extern crate alloc;

mod churn;
mod content;
mod damage;
mod dice;
mod executor;
mod host;
mod lab;
mod large;
pub mod raw;
mod small;
mod tasks;

pub use churn::Pair;
pub use content::{Hash, receive, send};
pub use damage::Damaging;
pub use dice::Dice;
pub use host::{Driven, Host, Polled, Progress};
pub use lab::{Lab, both_ways, lan, ms, s};
pub use large::{HostConfig, Large};
pub use raw::Raw;
pub use small::Small;
pub use tasks::Tasks;
