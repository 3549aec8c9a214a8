#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod error;
mod options;
mod stack;
mod tcp;
#[cfg(feature = "testing")]
pub mod testing;
mod udp;

pub use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
pub use error::{Error, ErrorKind, ErrorType};
pub use mirage_flow as flow;
pub use options::{Keepalive, ListenOptions, TcpOptions};
pub use stack::Stack;
pub use tcp::{TcpListener, TcpStream};
pub use udp::{Datagram, UdpSocket};
