//! Why a datagram was dropped.

mirage_protocols::reasons! {
    /// Why a datagram, or an error about one, was dropped.
    pub enum Discard {
        /// Shorter than its header.
        TooShort = "too_short",
        /// The length field is less than the header or more than what came.
        BadLength = "bad_length",
        /// The checksum is wrong.
        BadChecksum = "bad_checksum",
        /// Of an IP version that the machine does not speak.
        OtherVersion = "other_version",
        /// To port 0.
        BadPort = "bad_port",
        /// From the very address and port that it is for (LAND).
        Land = "land",
        /// Several datagrams merged into one, which nobody asked the device for.
        Merged = "merged",
        /// Nobody listens on the port: tell the sender with an ICMP port unreachable.
        NoSocket = "no_socket",
        /// The socket's queue is full.
        QueueFull = "queue_full",
        /// The blocks or datagrams that all sockets share are used up.
        PoolFull = "pool_full",
        /// An ICMP error that does not quote UDP ports.
        ErrorNotUdp = "error_not_udp",
        /// An ICMP error about a datagram that no connected socket can have sent.
        ErrorNoSocket = "error_no_socket",
    }
}
