//! The first sequence number of a connection (RFC 6528).

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use crate::{Profile, Tcp};

/// RFC 6528 §3: `ISN = M + F(localip, localport, remoteip, remoteport, secretkey)`, where M is a clock that ticks every
/// 4 µs, and F a keyed `hash`.
///
/// Strangers cannot foresee it, and between the same two ends it moves on, so that an old connection in TIME-WAIT can be
/// told from a new one.
pub(crate) fn isn(hash: u64, now: Instant) -> First {
    let ticks = now.as_micros() / 4;
    First { number: SequenceNumber(hash as u32).add(ticks as u32), stamp_offset: (hash >> 32) as u32 }
}

impl<P: Profile> Tcp<'_, P> {
    /// What a connection between the two ends that were looked for last begins with now.
    pub(crate) fn first(&self, now: Instant) -> First {
        isn(self.demux.latest_keyed, now)
    }
}

/// What a connection begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    pub(crate) number: SequenceNumber,
    /// What its timestamps are apart from our clock (RFC 7323 §5.4).
    pub(crate) stamp_offset: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed;
    use core::net::{IpAddr, Ipv4Addr, SocketAddr};
    use mirage_secret::Secret;

    fn end(host: u8, port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), port)
    }

    fn isn(key: &Secret, local: SocketAddr, remote: SocketAddr, now: Instant) -> First {
        super::isn(keyed::hash(key, local, remote, 0), now)
    }

    #[test]
    fn between_the_same_ends_it_moves_on_by_250_000_each_second() {
        let first = isn(&Secret::new([1; 16]), end(1, 80), end(2, 1234), Instant::ZERO);
        let later = isn(&Secret::new([1; 16]), end(1, 80), end(2, 1234), Instant::from_secs(1));
        assert_eq!(later.number.since(first.number), 250_000);
    }

    #[test]
    fn another_connection_or_another_boot_begins_elsewhere() {
        let first = isn(&Secret::new([1; 16]), end(1, 80), end(2, 1234), Instant::ZERO);
        let another = isn(&Secret::new([1; 16]), end(1, 80), end(2, 1235), Instant::ZERO);
        let booted = isn(&Secret::new([2; 16]), end(1, 80), end(2, 1234), Instant::ZERO);
        assert!(first.number.signed_since(another.number).unsigned_abs() > 1_000_000);
        assert!(first.number.signed_since(booted.number).unsigned_abs() > 1_000_000);
    }
}
