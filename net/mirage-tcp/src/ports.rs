//! Choosing our port for a connection we open (RFC 6056 §3.3.4, the double-hash algorithm).

use core::num::NonZeroU16;

use mirage_secret::Secret;

use crate::demux::Tuple;
use crate::keyed;

/// Where the search for a free port begins and how it goes on.
///
/// The start depends on the remote end through a key, so that strangers cannot foresee the port of a connection from those
/// of others; towards one remote end ports go up one by one, so that none is used again soon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports {
    next: [u16; COUNTERS],
    /// Between which ends a port was last chosen, and the hash of that.
    latest: Option<(Tuple, u64)>,
}

impl Ports {
    /// What a search for a port of a connection goes by; `tuple` has none yet on our side.
    #[inline]
    pub(crate) fn search(&mut self, key: &Secret, tuple: &Tuple) -> Search {
        let hash = match &self.latest {
            Some((latest, hash)) if latest == tuple => *hash,
            _ => self.search_anew(key, tuple),
        };
        Search { hash, left: COUNT }
    }

    #[inline(never)]
    fn search_anew(&mut self, key: &Secret, tuple: &Tuple) -> u64 {
        let hash = keyed::hash(key, tuple.local(), tuple.remote(), 0);
        self.latest = Some((*tuple, hash));
        hash
    }

    /// The next port to try, or `None` when all 16,384 were tried.
    pub(crate) fn next(&mut self, search: &mut Search) -> Option<NonZeroU16> {
        search.left = search.left.checked_sub(1)?;
        let counter = self.next.get_mut((search.hash >> 16) as usize % COUNTERS)?;
        let port = FIRST | ((search.hash as u16).wrapping_add(*counter) % COUNT);
        *counter = counter.wrapping_add(1);
        NonZeroU16::new(port)
    }
}

/// A search for a port that is free.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    hash: u64,
    /// How many are left to try.
    left: u16,
}

/// The dynamic ports are 49152 to 65535 (RFC 6335 §6).
const FIRST: u16 = 0xc000;
const COUNT: u16 = 0x4000;
/// Remote ends share counters, so that a counter tells little of what one end does.
const COUNTERS: usize = 16;

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::collections::BTreeSet;
    use core::net::{IpAddr, Ipv4Addr, SocketAddr};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    impl Ports {
        fn choose(
            &mut self,
            key: &Secret,
            source: IpAddr,
            remote: SocketAddr,
            is_free: impl Fn(NonZeroU16) -> bool,
        ) -> Option<NonZeroU16> {
            let (local, remote, remote_port) = (source, remote.ip(), remote.port());
            let mut search = self.search(key, &Tuple { local, remote, local_port: 0, remote_port });
            core::iter::from_fn(|| self.next(&mut search)).find(|port| is_free(*port))
        }
    }

    fn remote(port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), port)
    }

    #[test]
    fn every_dynamic_port_is_found_once_and_then_none() {
        let mut ports = Ports::default();
        let mut used = BTreeSet::new();
        for _ in 0..16_384 {
            let port = ports.choose(&Secret::new([1; 16]), HERE, remote(80), |port| !used.contains(&port)).unwrap();
            assert!(port.get() >= 49_152);
            assert!(used.insert(port));
        }
        assert_eq!(ports.choose(&Secret::new([1; 16]), HERE, remote(80), |port| !used.contains(&port)), None);
    }

    #[test]
    fn towards_one_end_ports_follow_each_other() {
        let mut ports = Ports::default();
        let first = ports.choose(&Secret::new([1; 16]), HERE, remote(80), |_| true).unwrap().get();
        let second = ports.choose(&Secret::new([1; 16]), HERE, remote(80), |_| true).unwrap().get();
        assert_eq!((first + 1) | FIRST, second);
    }

    #[test]
    fn other_ends_and_other_boots_begin_elsewhere() {
        let starts: BTreeSet<u16> =
            (0..100)
                .map(|end| Ports::default().choose(&Secret::new([1; 16]), HERE, remote(end), |_| true).unwrap().get())
                .chain((0..100).map(|key| {
                    Ports::default().choose(&Secret::new([key; 16]), HERE, remote(80), |_| true).unwrap().get()
                }))
                .collect();
        assert!(starts.len() > 190, "{}", starts.len());
    }
}
