//! Why a message was dropped.

mirage_protocols::reasons! {
    /// Why a message was dropped, or not sent.
    pub enum Discard {
        /// Not between IPv4 addresses.
        NotIpv4 = "not_ipv4",
        /// Shorter than its header.
        TooShort = "too_short",
        /// The checksum is wrong.
        BadChecksum = "bad_checksum",
        /// Sent to a group or to everybody (RFC 1122 §3.2.2.6 allows silence; Smurf attacks need an answer).
        NotUnicast = "not_unicast",
        /// A message that this host has no use for.
        UnknownType = "unknown_type",
        /// A code that its type does not have.
        UnknownCode = "unknown_code",
        /// Source quench (RFC 6633 §3: "MUST silently discard").
        SourceQuench = "source_quench",
        /// Redirect: routes are configured, not told by strangers.
        Redirect = "redirect",
        /// What an error quotes is no IPv4 packet with eight bytes behind its header, or is a later fragment.
        BadQuote = "bad_quote",
        /// What an error quotes was not sent from the address that the error came to.
        NotOurs = "not_ours",
        /// More than the configured rate.
        RateLimited = "rate_limited",
        /// The IP layer did not take the reply or error: no buffer, no route, no neighbour.
        ReplyDropped = "reply_dropped",
        /// No error may be sent about an ICMP error, or about what is not an IPv4 packet (RFC 1122 §3.2.2).
        ErrorAboutError = "error_about_error",
        /// No error may be sent about a fragment other than the first (RFC 1122 §3.2.2).
        ErrorAboutFragment = "error_about_fragment",
        /// No error may be sent to an address that does not name a single host (RFC 1122 §3.2.2).
        BadSource = "bad_source",
    }
}
