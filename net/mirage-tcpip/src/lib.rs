#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod alike;
#[cfg(feature = "alloc")]
mod allocate;
mod config;
mod counters;
mod datagrams;
mod device;
mod egress;
mod ingress;
mod machines;
mod open;
mod rounds;
mod run;
mod sockets;
mod stack;
mod storage;
mod tcp_listener;
mod tcp_stream;
mod udp_socket;
mod unresolved;

#[cfg(feature = "alloc")]
pub use allocate::{Heap, Tables};
pub use config::Config;
pub use counters::Counters;
pub use ingress::Came;
pub use mirage_ipv4::Fragmentation;
pub use mirage_protocols::{Ipv4Cidr, MacAddress};
pub use mirage_stack::{ErrorKind, Keepalive, ListenOptions, TcpOptions};
pub use mirage_tcp::{Profile, Small, Standard};
pub use stack::{Progress, Stack};
pub use storage::{Sizes, Storage};
pub use tcp_listener::TcpListener;
pub use tcp_stream::{TcpReader, TcpStream, TcpWriter};
pub use udp_socket::UdpSocket;
