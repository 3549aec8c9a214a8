//! The number that holds the fragments of a datagram together.

use core::net::Ipv4Addr;

use mirage_secret::Secret;

/// Gives out identifications that others cannot guess.
///
/// Each pair of addresses with a protocol counts on its own from its own secret start, so neither the rate at which
/// we send to others nor the next number shows (RFC 7739 §5.3). Pairs that share one of the counters skip numbers.
#[derive(Debug)]
pub(crate) struct Identification {
    secret: Secret,
    counters: [u16; COUNTERS],
}

impl Identification {
    pub(crate) fn new(secret: &[u8; 16]) -> Self {
        Self { secret: Secret::new(*secret), counters: [0; COUNTERS] }
    }

    /// The secret start of a pair of addresses with a protocol.
    pub(crate) fn hash(&self, source: Ipv4Addr, destination: Ipv4Addr, protocol: u8) -> u64 {
        let ([a, b, c, d], [e, f, g, h]) = (source.octets(), destination.octets());
        self.secret.hash(&[b'i', protocol, a, b, c, d, e, f, g, h])
    }

    /// The next number of the pair with this [`hash`](Self::hash).
    #[inline]
    pub(crate) fn next(&mut self, hash: u64) -> u16 {
        let counter = &mut self.counters[(hash >> 16) as usize % COUNTERS];
        *counter = counter.wrapping_add(1);
        counter.wrapping_add(hash as u16)
    }
}

const COUNTERS: usize = 64;
