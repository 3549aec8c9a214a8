//! A packet on its way up.

use mirage_protocols::{Protocol, Received};

/// A packet for us, whole.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'p> {
    /// Which machine it is for.
    pub protocol: Protocol,
    /// What lies behind its header.
    pub received: Received<'p>,
    /// Its header with options, for ICMP errors to quote. That of a reassembled datagram is the first fragment's with
    /// the length of the whole.
    pub header: &'p [u8],
    /// It came in fragments. Answers to questions asked of strangers (DNS) had better not (RFC 8900 §3.7).
    pub fragmented: bool,
}
