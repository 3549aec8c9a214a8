#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod address;
mod config;
mod discard;
mod expired;
mod flow;
mod fragment;
mod fragmentation;
mod identification;
mod inbound;
mod incoming;
mod ipv4;
mod memo;
mod outbound;
mod over;
mod reassembly;
mod route;
mod table;
pub mod wire;

pub use address::{Address, Group};
pub use config::{Config, Limits, Storage, TableFull};
pub use discard::{Discard, Discards};
pub use expired::Expired;
pub use fragmentation::Fragmentation;
pub use inbound::Inbound;
pub use incoming::Incoming;
pub use ipv4::Ipv4;
pub use outbound::Outbound;
pub use over::Ipv4Over;
pub use reassembly::Block;
pub use route::Route;
