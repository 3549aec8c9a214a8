//! Why a packet that came in was dropped.

use mirage_protocols::{Counts, Reason};

mirage_protocols::reasons! {
    /// Why a packet that came in was dropped. None of them is an error an application sees.
    pub enum Discard {
        /// Shorter than a header.
        TooShort = "too_short",
        /// Another version than 4.
        Version = "version",
        /// The header claims to be shorter than 20 bytes or longer than the packet.
        HeaderLength = "header_length",
        /// The packet claims to be shorter than its header or longer than what arrived.
        TotalLength = "total_length",
        /// The header's checksum is wrong.
        Checksum = "checksum",
        /// An option is shorter than its own two bytes or longer than the header.
        BadOption = "bad_option",
        /// The sender wants to choose the way (loose or strict source route, RFC 7126 §4.3 and §4.4).
        SourceRoute = "source_route",
        /// No time to live is left.
        TimeToLive = "time_to_live",
        /// The sender's address is a group, a broadcast, a loopback or no address.
        BadSource = "bad_source",
        /// The sender's address is one of ours (LAND and other forgeries).
        OwnSource = "own_source",
        /// For somebody else, or for a group that nobody joined.
        NotForUs = "not_for_us",
        /// For one station, but the frame went to many (RFC 1122 §3.3.6).
        UnicastInBroadcast = "unicast_in_broadcast",
        /// A fragment, where nothing is put together.
        Fragment = "fragment",
        /// A fragment without a payload.
        EmptyFragment = "empty_fragment",
        /// A fragment that is not the last and whose length is not a multiple of eight.
        UnalignedFragment = "unaligned_fragment",
        /// A fragment that hides the TCP header (RFC 1858, RFC 3128).
        TinyFragment = "tiny_fragment",
        /// The datagram would exceed 65,535 bytes or the buffer lent for it.
        OversizedDatagram = "oversized_datagram",
        /// A fragment that came twice; the first stays.
        DuplicateFragment = "duplicate_fragment",
        /// A fragment that overlaps another: its datagram is dropped (RFC 5722).
        OverlappingFragment = "overlapping_fragment",
        /// A fragment that contradicts another about where the datagram ends: the datagram is dropped.
        InconsistentEnd = "inconsistent_end",
        /// The datagram came in too many pieces and is dropped.
        TooManyFragments = "too_many_fragments",
        /// A fragment of a datagram that was dropped before.
        DroppedDatagram = "dropped_datagram",
        /// No memory for a fragment, and its own datagram was the one to give way.
        NoMemory = "no_memory",
    }
}

/// How often each [`Discard`] happened.
pub type Discards = Counts<Discard, { <Discard as Reason>::ALL.len() }>;
