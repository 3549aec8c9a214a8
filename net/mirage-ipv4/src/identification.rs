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
    /// The last pair and its hash: most packets go where the one before went.
    last: (Flow, u64),
}

type Flow = (Ipv4Addr, Ipv4Addr, u8);

impl Identification {
    pub(crate) fn new(secret: &[u8; 16]) -> Self {
        let nobody = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED, 0);
        let secret = Secret::new(*secret);
        Self { secret, counters: [0; COUNTERS], last: (nobody, hash(&secret, nobody)) }
    }

    /// The next number from `source` to `destination`.
    pub(crate) fn next(&mut self, source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol) -> u16 {
        let flow = (source, destination, protocol.0);
        if self.last.0 != flow {
            self.last = (flow, hash(&self.secret, flow));
        }
        let hash = self.last.1;
        let counter = &mut self.counters[(hash >> 16) as usize % COUNTERS];
        *counter = counter.wrapping_add(1);
        counter.wrapping_add(hash as u16)
    }
}

fn hash(secret: &Secret, (source, destination, protocol): Flow) -> u64 {
    let [a, b, c, d] = source.octets();
    let [e, f, g, h] = destination.octets();
    secret.hash(&[b'i', protocol, a, b, c, d, e, f, g, h])
}

const COUNTERS: usize = 64;
