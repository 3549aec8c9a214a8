#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod conversation;
mod counters;
mod error;
mod forward;
mod gateway;
mod pump;
mod tasks;
mod tcp;
mod time;
mod udp;

pub use config::Config;
pub use counters::Counters;
pub use error::Error;
pub use forward::{Forward, Transport};
pub use gateway::Gateway;
