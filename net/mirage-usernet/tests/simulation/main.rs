//! The gateway in virtual time: its host is a second stack on a simulated network, with a server on that.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "tests have std")]

#[path = "../common/mod.rs"]
mod common;
mod lab;

mod bounds;
mod doors;
mod ping;
mod tcp_inwards;
mod tcp_outwards;
mod udp_inwards;
mod udp_outwards;
