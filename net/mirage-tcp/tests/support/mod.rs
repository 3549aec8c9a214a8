//! A machine whose clock and wire belong to the test, and a peer made of single segments.

#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test file uses its own part of this")]

mod host;
mod peer;
mod segment;
mod wire;

pub use host::{HERE, Host, Machine, Sizes, THERE};
pub use peer::{Handshake, Peer, accepted, connected};
pub use segment::{ACK, CWR, ECE, FIN, PSH, RST, SYN, Segment, URG};
pub use wire::{exchange, run, run_until};

pub use mirage_clock::{Duration, Instant};
pub use mirage_protocols::Ecn;
pub use mirage_tcp::{
    Config, ConnectionId, Direction, Discard, Error, Keepalive, ListenOptions, Marking, Probing, Recovering, State,
    TcpOptions,
};

/// So many milliseconds.
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many seconds.
pub const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Bytes that show where they belong.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|place| (place % 251) as u8).collect()
}
