//! Why a packet was dropped.

mirage_protocols::reasons! {
    /// Why an ARP packet was dropped.
    pub enum Discard {
        /// Shorter than 28 bytes.
        TooShort = "too_short",
        /// Not about IPv4 on Ethernet.
        NotEthernetIpv4 = "not_ethernet_ipv4",
        /// Neither a request nor a reply.
        UnknownOperation = "unknown_operation",
        /// The station it names is not the one that sent the frame.
        SenderMismatch = "sender_mismatch",
        /// Its sender is a group, everybody or no station, or its address is none a host can have.
        SenderNotUnicast = "sender_not_unicast",
        /// We sent it ourselves.
        OwnPacket = "own_packet",
        /// Somebody else uses an address of ours; see [`Event::Conflict`](crate::Event::Conflict).
        Conflict = "conflict",
        /// A request for somebody else from a station we do not talk to.
        NotForUs = "not_for_us",
        /// A reply that nobody asked for and that changes nothing we know.
        Unsolicited = "unsolicited",
        /// It would have changed an entry that was set by hand.
        Pinned = "pinned",
        /// A request for our address while too many answers wait for the device.
        Busy = "busy",
    }
}
