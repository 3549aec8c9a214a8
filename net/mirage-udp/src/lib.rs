#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod address;
mod wire;

mod udp;

mod receive;
mod transmit;

mod pool;
mod port;
mod table;

mod discard;
mod error;

pub mod igmp;

pub use address::Address;
pub use discard::Discard;
pub use error::{BindError, Error};
pub use managed::ManagedSlice;
pub use mirage_stack::Datagram;
pub use mirage_waker::Slot as WakerSlot;
pub use pool::{Block, Bound};
pub use port::{EphemeralPorts, PortChoice};
pub use table::{Bucket, SocketId, SocketSlot};
pub use transmit::Source;
pub use udp::{Config, Local, Stats, Storage, Udp};
