//! What the gateway looks like to the guest, and what it lets in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mirage_clock::Duration;
use mirage_protocols::Ipv4Cidr;

/// Which transport a forward is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A port of the host that leads to the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// TCP or UDP.
    pub transport: Transport,
    /// Where the gateway listens on the host.
    pub host: SocketAddr,
    /// The guest's port that it leads to.
    pub guest: u16,
}

/// What the gateway looks like to the guest, and what it lets in and out. The default is the network that user-mode
/// gateways customarily show: 10.0.2.0/24 with the gateway at .2, a name server at .3 and the guest at .15.
#[derive(Clone, Debug)]
pub struct Config {
    /// The gateway's address with its network.
    pub gateway: Ipv4Cidr,
    /// The guest's address.
    pub guest: Ipv4Addr,
    /// The address at which the guest finds a name server.
    pub dns: Ipv4Addr,
    /// The host's name server, to which questions go.
    pub resolver: Option<SocketAddr>,
    /// Ports of the host that lead to the guest.
    pub forwards: Vec<Forward>,
    /// Whether the guest may reach the outside. The gateway's own address stands for the host's loopback.
    pub outbound: bool,
    /// How many TCP connections may pass at once; further ones are refused.
    pub connections: usize,
    /// How many UDP conversations are remembered at once; the one that was silent longest makes room for another.
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
        // The rest of the guest's own network is not the host's: nobody is there.
        (!self.gateway.contains(*v4.ip()) && !v4.ip().is_loopback()).then_some(destination)
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
        assert_eq!(Config::default().outside(address("127.0.0.1:22")), None);
    }

    #[test]
    fn nothing_leaves_when_outbound_is_off_but_questions() {
        let config = Config { outbound: false, resolver: Some(address("192.0.2.1:53")), ..Config::default() };
        assert_eq!(config.outside(address("192.0.2.7:80")), None);
        assert!(config.outside(address("10.0.2.3:53")).is_some());
    }
}
