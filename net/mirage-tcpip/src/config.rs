//! How the stack behaves.

use mirage_clock::Duration;
use mirage_ethernet::VlanId;
use mirage_ipv4::Fragmentation;

/// How the stack behaves. The default suits a host on an ordinary network.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The virtual LAN whose frames are taken and sent (802.1Q); `None` for untagged frames.
    pub vlan: Option<VlanId>,
    /// Takes packets for every address, and answers ARP for every address but the asker's: what a gateway does.
    pub accept_any: bool,
    /// How many frames one poll takes in and how many segments it sends, so that no peer can hold the loop; and how many
    /// datagrams sockets send at once before the next poll, so that no task can.
    pub budget: usize,
    /// Whether IPv4 packets come and go in pieces. [`Fragmentation::NONE`] makes a program
    /// smaller; build such a configuration with [`Config::new`].
    pub fragmentation: Fragmentation,
    /// Limits of IPv4 reassembly.
    pub reassembly: mirage_ipv4::Limits,
    /// How talkative ICMP is.
    pub icmp: mirage_icmp::Config,
    /// Bounds of UDP sockets.
    pub udp: mirage_udp::Config,
    /// What can be tuned in TCP.
    pub tcp: mirage_tcp::Config,
    /// How long an ARP entry is believed.
    pub arp_lifetime: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self::new(Fragmentation::BOTH_WAYS)
    }
}

impl Config {
    /// The defaults with this fragmentation: no other is linked.
    pub fn new(fragmentation: Fragmentation) -> Self {
        Self {
            vlan: None,
            accept_any: false,
            budget: 64,
            fragmentation,
            reassembly: mirage_ipv4::Limits::default(),
            icmp: mirage_icmp::Config::default(),
            udp: mirage_udp::Config::default(),
            tcp: mirage_tcp::Config::default(),
            arp_lifetime: Duration::from_secs(20 * 60),
        }
    }
}
