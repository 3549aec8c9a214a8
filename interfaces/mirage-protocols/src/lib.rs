#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "testing")]
extern crate alloc;

mod cidr;
mod discard;
mod ecn;
mod ethernet;
mod icmp;
mod ip;
mod neighbour;
mod received;
#[cfg(feature = "testing")]
pub mod testing;

pub use cidr::{CidrError, Ipv4Cidr, parse_ipv4};
pub use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
pub use discard::{Counts, Reason, show_counts};
pub use ecn::Ecn;
pub use ethernet::{EtherType, Ethernet, LinkHeader, LinkPacket};
pub use icmp::{IcmpError, IcmpErrorKind};
pub use ip::{Ip, Packet, Protocol};
pub use mirage_net::{MacAddress, SendError};
pub use neighbour::{HopPacket, InterfaceId, Neighbours, NextHop};
pub use received::{Cast, Received};
