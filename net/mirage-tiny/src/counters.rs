//! What was taken and what was thrown away.

/// Why something was thrown away, or what else is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Count {
    /// Frames that are not for us or of no kind that we know.
    Frame,
    /// ARP packets that make no sense, are not for us or were not asked for.
    Arp,
    /// IPv4 packets with a wrong header or checksum, or not for us.
    Ipv4,
    /// Fragments.
    Fragment,
    /// ICMP messages that make no sense, or belong to nothing of ours.
    Icmp,
    /// Datagrams for nobody, or with a wrong length or checksum.
    Udp,
    /// Datagrams that had no room in their socket.
    UdpFull,
    /// Segments with a wrong header or checksum.
    Tcp,
    /// Segments that belong to no connection.
    NoConnection,
    /// Segments outside the window, or that an attacker may have made up.
    Unacceptable,
    /// Handshakes that found no room.
    NoRoom,
    /// Segments that were sent again.
    Resent,
    /// Packets to a network to which there is no way.
    NoRoute,
    /// Packets that were lost while they waited for their neighbour.
    Unresolved,
}

impl Count {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::Frame,
        Self::Arp,
        Self::Ipv4,
        Self::Fragment,
        Self::Icmp,
        Self::Udp,
        Self::UdpFull,
        Self::Tcp,
        Self::NoConnection,
        Self::Unacceptable,
        Self::NoRoom,
        Self::Resent,
        Self::NoRoute,
        Self::Unresolved,
    ];
}

/// How often each was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters([u32; Count::ALL.len()]);

impl Counters {
    /// How often `count` was, modulo 2³².
    pub fn get(&self, count: Count) -> u32 {
        self.0.get(count as usize).copied().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, count: Count) {
        if let Some(place) = self.0.get_mut(count as usize) {
            *place = place.wrapping_add(1);
        }
    }
}
