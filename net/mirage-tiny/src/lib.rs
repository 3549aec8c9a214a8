#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod connection;
mod counters;
mod host;
mod icmp;
mod input;
mod lower;
mod neighbours;
mod output;
mod ring;
mod stack;
mod storage;
mod tcp;
mod tcp_listener;
mod tcp_stream;
mod udp;
mod udp_socket;
mod wire;

pub use connection::Slot;
pub use counters::{Count, Counters};
pub use host::Host;
pub use mirage_protocols::Ipv4Cidr;
pub use mirage_stack::{ErrorKind, Keepalive, ListenOptions, TcpOptions};
pub use neighbours::Neighbour;
pub use stack::{Progress, Stack};
pub use storage::{Sizes, Storage};
pub use tcp::{ConnectionId, Door, ListenerId};
pub use tcp_listener::TcpListener;
pub use tcp_stream::{TcpReader, TcpStream, TcpWriter};
pub use udp::{Received, Socket, SocketId};
pub use udp_socket::UdpSocket;
