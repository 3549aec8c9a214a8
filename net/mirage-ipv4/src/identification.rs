//! The number that holds the fragments of a datagram together.

use core::net::Ipv4Addr;

use mirage_protocols::Protocol;
use mirage_secret::Secret;

/// Gives out identifications that others cannot guess.
///
/// Each pair of addresses with a protocol counts on its own from its own secret start, so neither the rate at which
/// we send to others nor the next number shows (RFC 7739 §5.3). Pairs that share one of the counters skip numbers.
#[derive(Debug)]
pub(crate) struct Identification {
    secret: Secret,
    counters: [u16; COUNTERS],
    /// The last pair with its protocol, and its hash: most packets go where the one before went.
    last: (u64, u8, u64),
}

impl Identification {
    pub(crate) fn new(secret: &[u8; 16]) -> Self {
        let secret = Secret::new(*secret);
        Self { secret, counters: [0; COUNTERS], last: (0, 0, hash(&secret, 0, 0)) }
    }

    /// The next number from `source` to `destination`.
    #[inline]
    pub(crate) fn next(&mut self, source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol) -> u16 {
        let pair = u64::from(source.to_bits()) << 32 | u64::from(destination.to_bits());
        if self.last.0 != pair || self.last.1 != protocol.0 {
            self.last = (pair, protocol.0, hash(&self.secret, pair, protocol.0));
        }
        let hash = self.last.2;
        let counter = &mut self.counters[(hash >> 16) as usize % COUNTERS];
        *counter = counter.wrapping_add(1);
        counter.wrapping_add(hash as u16)
    }
}

fn hash(secret: &Secret, pair: u64, protocol: u8) -> u64 {
    let [a, b, c, d, e, f, g, h] = pair.to_be_bytes();
    secret.hash(&[b'i', protocol, a, b, c, d, e, f, g, h])
}

const COUNTERS: usize = 64;
