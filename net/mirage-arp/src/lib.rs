#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod address;
mod addresses;
mod admit;
mod arp;
mod cache;
mod config;
mod discard;
mod entry;
mod event;
mod input;
mod over;
mod pending;
mod ring;
mod send;
mod storage;
mod transmit;
mod wire;

pub use address::{Address, AddressesFull, Claim};
pub use arp::Arp;
pub use config::Config;
pub use discard::Discard;
pub use entry::{CacheFull, Entry};
pub use event::{Event, UnresolvedPacket};
pub use managed::ManagedSlice;
pub use over::ArpOver;
pub use pending::Pending;
pub use storage::Storage;
pub use transmit::Message;
