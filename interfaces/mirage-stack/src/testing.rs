//! The exam for every stack.
//!
//! The exam is an `async fn` and brings no executor: run it on one that also runs whatever moves the packets. It never
//! polls in a loop, so virtual time can pass. The network below must not lose or reorder packets.

mod tcp;
mod udp;

use core::net::IpAddr;

use crate::Stack;

pub use tcp::examine_tcp;
pub use udp::examine_udp;

/// The whole exam: `client` reaches `server` at `address`; both may be the same stack. It needs storage for twelve
/// connections, two listeners and four datagram sockets on each.
///
/// # Panics
/// When a stack fails.
pub async fn examine<C: Stack, S: Stack>(client: &C, server: &S, address: IpAddr) {
    examine_udp(client, server, address).await;
    examine_tcp(client, server, address).await;
}

/// The unspecified address of the same IP version.
fn any(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => core::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => core::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}
