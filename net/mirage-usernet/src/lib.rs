#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod gateway;
mod pump;
mod tasks;
mod tcp;
mod udp;

pub use config::{Config, Forward, Transport};
pub use gateway::{Error, Gateway};
