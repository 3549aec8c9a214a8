//! Numbers for people.

use mirage_clock::Duration;

/// What the machine did and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connection slots in use, those of ended connections that an application still holds included.
    pub connections: u32,
    /// Handshakes under way through listeners.
    pub half_open: u32,
    /// Closed connections that are still remembered.
    pub time_wait: u32,
    /// Buffer blocks that hold data.
    pub blocks_in_use: u32,
    /// Buffer blocks in all.
    pub blocks_total: u32,
    /// Segments handed to [`Tcp::input`](crate::Tcp::input).
    pub segments_in: u64,
    /// Segments handed to the IP layer; one that the device cuts counts once.
    pub segments_out: u64,
    /// Segments of those that were sent again.
    pub retransmits: u64,
    /// Retransmission timeouts.
    pub timeouts: u64,
    /// Paths on which full segments vanished (RFC 4821 §7.7).
    pub black_holes: u64,
    /// Recoveries taken back because nothing had been lost.
    pub undone: u64,
    /// Word of peers that they got something twice (RFC 2883).
    pub duplicates_reported: u64,
    /// Segments from long ago, told by their timestamps (RFC 7323).
    pub old_stamps: u64,
    /// Steps made along records of what is under way: what the acknowledgements of peers cost.
    pub steps: u64,
    /// Resets sent.
    pub resets_out: u64,
    /// Connections that peers broke off.
    pub resets_in: u64,
    /// Connections opened by us that were established.
    pub opened: u64,
    /// Connections through listeners that were established.
    pub accepted: u64,
    /// SYN cookies sent.
    pub cookies_sent: u64,
    /// Connections established by a SYN cookie.
    pub cookies_accepted: u64,
    /// Memories of closed connections that were given up early because their table was full.
    pub time_wait_evicted: u64,
    /// Replies (resets, challenges, SYN-ACKs) that were not sent: over a limit, or too many at once.
    pub replies_dropped: u64,
}

/// What a connection measures and allows itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Smoothed round-trip time; zero before the first measurement.
    pub srtt: Duration,
    /// Its variation.
    pub rttvar: Duration,
    /// Retransmission timeout with back-off.
    pub rto: Duration,
    /// Congestion window in bytes.
    pub cwnd: u32,
    /// Slow-start threshold in bytes.
    pub ssthresh: u32,
    /// Payload of a full segment in bytes.
    pub send_mss: u16,
    /// Bytes sent and not acknowledged.
    pub in_flight: u32,
    /// Bytes written and not acknowledged, sent or not.
    pub send_queued: u32,
    /// The window the peer offers, in bytes.
    pub send_window: u32,
    /// Bytes the application has yet to read.
    pub receive_queued: u32,
    /// The window we last offered, in bytes.
    pub receive_window: u32,
    /// Bytes that wait behind a hole.
    pub out_of_order: u32,
}
