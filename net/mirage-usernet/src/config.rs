//! What the gateway looks like to the guest, and what it lets in.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use mirage_clock::Duration;
use mirage_protocols::Ipv4Cidr;

use crate::Forward;

/// What the gateway looks like to the guest, and what it lets in and out. The default is the network that user-mode
/// gateways customarily show: 10.0.2.0/24 with the gateway at .2, a name server at .3 and the guest at .15.
#[derive(Clone, Debug)]
pub struct Config {
    /// The gateway's address with its network.
    pub gateway: Ipv4Cidr,
    /// The guest's address.
    pub guest: Ipv4Addr,
    /// The address at whose port 53 the guest finds a name server.
    pub dns: Ipv4Addr,
    /// The host's name server, to which questions go; `None` for none. They go there even when `outbound` is off.
    pub resolver: Option<SocketAddr>,
    /// Ports of the host that lead to the guest.
    pub forwards: Vec<Forward>,
    /// Whether the guest may reach the outside. The gateway's own address stands for the host's 127.0.0.1, the rest of
    /// the guest's network, multicast and broadcast for nobody.
    pub outbound: bool,
    /// How many TCP connections may pass at once, in both directions; further ones are reset. Default 1024.
    pub connections: usize,
    /// How long the other half of a TCP connection may take to be made, be it the guest's or the outside's. Default
    /// 10 s: three lost SYNs.
    pub connect_timeout: Duration,
    /// How many UDP conversations are remembered at once in each direction, at least one; the one that was silent
    /// longest makes room for another. Default 256.
    pub conversations: usize,
    /// After how much silence a UDP conversation is forgotten (RFC 4787 REQ-5: at least 2 minutes; default 5).
    pub conversation_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gateway: Ipv4Cidr::new(Ipv4Addr::new(10, 0, 2, 2), 24).expect("24 is at most 32"),
            guest: Ipv4Addr::new(10, 0, 2, 15),
            dns: Ipv4Addr::new(10, 0, 2, 3),
            resolver: None,
            forwards: Vec::new(),
            outbound: true,
            connections: 1024,
            connect_timeout: Duration::from_secs(10),
            conversations: 256,
            conversation_timeout: Duration::from_secs(300),
        }
    }
}

impl Config {
    /// Where on the host a packet of the guest to `destination` goes; `None` when it must not leave.
    pub(crate) fn outside(&self, destination: SocketAddr) -> Option<SocketAddr> {
        let SocketAddr::V4(v4) = destination else { return None };
        if *v4.ip() == self.dns && v4.port() == 53 {
            return self.resolver;
        }
        if !self.outbound {
            return None;
        }
        if *v4.ip() == self.gateway.address() {
            return Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), v4.port()));
        }
        let ip = *v4.ip();
        // The rest of the guest's own network is not the host's: nobody is there. A host takes all of 0.0.0.0/8 or the
        // first of it for itself (RFC 1122 §3.2.1.3 "this host on this network").
        let nobody = self.gateway.contains(ip) || ip.is_loopback() || ip.octets()[0] == 0;
        (!nobody && !ip.is_multicast() && !ip.is_broadcast()).then_some(destination)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("the test's address is one")
    }

    #[test]
    fn the_gateway_stands_for_the_hosts_loopback() {
        assert_eq!(Config::default().outside(address("10.0.2.2:80")), Some(address("127.0.0.1:80")));
    }

    #[test]
    fn questions_go_to_the_hosts_resolver() {
        let config = Config { resolver: Some(address("192.0.2.1:53")), ..Config::default() };
        assert_eq!(config.outside(address("10.0.2.3:53")), Some(address("192.0.2.1:53")));
        assert_eq!(config.outside(address("10.0.2.3:80")), None);
    }

    #[test]
    fn a_guest_reaches_the_hosts_loopback_only_by_the_gateways_address() {
        for other in ["127.0.0.1:22", "127.9.9.9:22", "0.0.0.0:22", "0.1.2.3:22", "10.0.2.4:22", "[::1]:22"] {
            assert_eq!(Config::default().outside(address(other)), None, "{other}");
        }
    }

    #[test]
    fn groups_and_broadcasts_stay_inside() {
        for group in ["224.0.0.251:5353", "255.255.255.255:67", "10.0.2.255:67"] {
            assert_eq!(Config::default().outside(address(group)), None, "{group}");
        }
    }

    #[test]
    fn nothing_leaves_when_outbound_is_off_but_questions() {
        let config = Config { outbound: false, resolver: Some(address("192.0.2.1:53")), ..Config::default() };
        assert_eq!(config.outside(address("192.0.2.7:80")), None);
        assert!(config.outside(address("10.0.2.3:53")).is_some());
    }
}
