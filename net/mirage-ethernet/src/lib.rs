#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod ethernet;
mod groups;
mod incoming;
mod link;
mod vlan;
mod wire;

pub use ethernet::Ethernet;
pub use groups::{Group, GroupsFull, multicast_mac};
pub use incoming::{Discard, Incoming};
pub use link::Link;
pub use managed::ManagedSlice;
pub use vlan::VlanId;
