//! Why a segment was dropped.

mirage_protocols::reasons! {
    /// Why a segment was dropped, wholly or in part.
    pub enum Discard {
        /// Shorter than a header.
        TooShort = "too_short",
        /// A data offset that lies outside the segment.
        BadOffset = "bad_offset",
        /// A port 0.
        BadPort = "bad_port",
        /// The checksum is wrong.
        BadChecksum = "bad_checksum",
        /// Sent to a group or to everybody.
        NotUnicast = "not_unicast",
        /// From an address nobody can have, or from ourselves (the LAND attack).
        BadSource = "bad_source",
        /// To a port on which nobody listens; answered with a reset.
        NoListener = "no_listener",
        /// Flags that belong to no state, as SYN with FIN.
        BadFlags = "bad_flags",
        /// A SYN while the accept queue or every table is full; the peer tries again.
        Overloaded = "overloaded",
        /// The last step of a handshake while no connection or place in the accept queue is free; the peer tries again.
        AcceptQueueFull = "accept_queue_full",
        /// Outside the receive window.
        OutsideWindow = "outside_window",
        /// From long ago by its timestamp (RFC 7323 §5).
        OldTimestamp = "old_timestamp",
        /// Acknowledges what was never sent, or too long ago (RFC 5961 §5).
        BadAck = "bad_ack",
        /// A reset whose number is not exactly right (RFC 5961 §3).
        BadReset = "bad_reset",
        /// A SYN inside a connection (RFC 5961 §4).
        UnexpectedSyn = "unexpected_syn",
        /// No acknowledgement where there has to be one.
        NoAck = "no_ack",
        /// No block was free, or the bounds of out-of-order data were reached; the peer sends it again.
        NoRoom = "no_room",
        /// Data for a connection whose application is gone; answered with a reset.
        AfterClose = "after_close",
        /// A reset in TIME-WAIT (RFC 1337).
        ResetInTimeWait = "reset_in_time_wait",
        /// An ICMP error about nothing that is under way (RFC 5927).
        UnrelatedIcmp = "unrelated_icmp",
    }
}

/// How often segments were dropped, and why.
pub type Discards = mirage_protocols::Counts<Discard, { <Discard as mirage_protocols::Reason>::ALL.len() }>;
