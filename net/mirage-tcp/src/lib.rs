#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "testing")]
extern crate alloc;

mod accept;
mod api;
mod challenge;
mod check;
mod config;
mod connection;
mod cookies;
mod cork;
mod demux;
mod discard;
mod error;
mod fast_open;
mod half_open;
mod icmp;
mod identifier;
mod info;
mod input;
mod isn;
mod keepalive;
mod keyed;
mod listen;
mod marks;
mod open;
mod options;
mod path;
mod paths;
mod peers;
mod pool;
mod ports;
mod profile;
mod ready;
mod receive_queue;
mod recovery;
mod replies;
mod resources;
mod retransmit;
mod rto;
mod runs;
mod sack;
mod secrets;
mod send_queue;
mod stamps;
mod state;
mod stats;
mod storage;
mod tcp;
#[cfg(feature = "testing")]
pub mod testing;
mod time_wait;
mod timeout;
mod timers;
mod transmit;
mod tuning;
mod under_way;
mod window;
mod wire;

pub use api::Direction;
pub use config::Config;
pub use connection::Slot;
pub use discard::{Discard, Discards};
pub use error::{ConnectError, Error, ListenError};
pub use fast_open::{Cookie, FastOpen};
pub use half_open::HalfOpenSlot;
pub use identifier::{ConnectionId, ListenerId};
pub use info::{Recovering, TcpInfo};
pub use listen::{ListenerSlot, Local};
pub use managed::ManagedSlice;
pub use marks::Marking;
pub use mirage_stack::{Keepalive, ListenOptions, TcpOptions};
pub use open::FirstData;
pub use path::Probing;
pub use pool::{BLOCK_BYTES, Block};
pub use profile::{Profile, Small, Standard};
pub use runs::RunSlot;
pub use secrets::Secrets;
pub use state::State;
pub use stats::{Info, Stats};
pub use storage::Storage;
pub use tcp::Tcp;
pub use time_wait::TimeWaitSlot;
pub use timers::TimerSlot;
