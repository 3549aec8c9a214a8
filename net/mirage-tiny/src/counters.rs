//! What was taken and what was thrown away.

use mirage_protocols::{Counts, Reason};

mirage_protocols::reasons! {
    /// Why something was thrown away, or what else is counted.
    pub enum Count {
        /// Frames that are not for us or of no kind that we know.
        Frame = "frame",
        /// ARP packets that make no sense, are not for us or were not asked for.
        Arp = "arp",
        /// IPv4 packets with a wrong header or checksum, or not for us.
        Ipv4 = "ipv4",
        /// Fragments.
        Fragment = "fragment",
        /// ICMP messages that make no sense, or belong to nothing of ours.
        Icmp = "icmp",
        /// Datagrams for nobody, or with a wrong length or checksum.
        Udp = "udp",
        /// Datagrams that had no room in their socket.
        UdpFull = "udp_full",
        /// Segments with a wrong header or checksum.
        Tcp = "tcp",
        /// Segments that belong to no connection.
        NoConnection = "no_connection",
        /// Segments outside the window, or that an attacker may have made up.
        Unacceptable = "unacceptable",
        /// Handshakes that found no room.
        NoRoom = "no_room",
        /// Segments that were sent again.
        Resent = "resent",
        /// Packets to a network to which there is no way.
        NoRoute = "no_route",
        /// Packets that were lost while they waited for their neighbour.
        Unresolved = "unresolved",
    }
}

/// How often each was.
#[derive(Clone, Debug, Default)]
pub struct Counters(Counts<Count, { Count::ALL.len() }>);

impl Counters {
    /// How often `count` was.
    pub fn get(&self, count: Count) -> u64 {
        self.0.of(count)
    }

    /// Shows each with its name.
    pub fn visit(&self, show: impl FnMut(&'static str, u64)) {
        self.0.visit(show);
    }

    #[inline(never)]
    pub(crate) fn add(&mut self, count: Count) {
        self.0.count(count);
    }
}
