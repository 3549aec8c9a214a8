#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a crate for hosts with std")]

mod counters;
mod error;
mod listener;
mod options;
mod resolver;
mod socket;
mod stack;
mod stream;
mod udp;

pub use counters::Counters;
pub use error::HostError;
pub use listener::TcpListener;
pub use resolver::resolver;
pub use stack::HostStack;
pub use stream::{Reader, TcpStream, Writer};
pub use udp::UdpSocket;
