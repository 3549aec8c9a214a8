//! Data in the SYN (RFC 7413): what both ends say, and when a listener believes it.

use core::net::IpAddr;

use mirage_secret::Secret;

use crate::demux::Tuple;
use crate::options::Options;
use crate::{ListenerId, Profile, Tcp};

/// How a listener takes data with the SYN.
#[derive(Clone, Copy, Debug)]
pub struct FastOpen {
    /// The key of its cookies: sixteen bytes that nobody outside knows. Listeners with the same key take each other's.
    pub key: [u8; 16],
    /// How many connections may at one time wait for the peer's acknowledgement with their data taken, over all listeners
    /// (RFC 7413 §5.1: a flood of SYNs with stolen cookies takes no more). Further SYNs open connections in the ordinary
    /// way.
    pub pending: u16,
    /// Whether data counts without a cookie, too: only where strangers cannot send with a false address.
    pub without_cookie: bool,
}

/// What a server gave to a client, for the client's next connection to it: 4 to 16 bytes (RFC 7413 §4.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cookie {
    bytes: [u8; 16],
    len: u8,
    /// It goes by the number of the experiment that came before RFC 7413, for peers that know no other.
    pub experimental: bool,
}

impl Cookie {
    /// A request for a cookie.
    pub(crate) const REQUEST: Self = Self { bytes: [0; 16], len: 0, experimental: false };

    /// From its bytes; `None` when these are too many, too few or an odd number.
    pub fn new(bytes: &[u8], experimental: bool) -> Option<Self> {
        Self::read(bytes, experimental).filter(|cookie| !cookie.is_request())
    }

    /// From what an option carries: none is a request.
    fn read(bytes: &[u8], experimental: bool) -> Option<Self> {
        if !bytes.is_empty() && (bytes.len() < 4 || bytes.len() > 16 || bytes.len() % 2 == 1) {
            return None;
        }
        let mut cookie = Self { len: bytes.len() as u8, experimental, ..Self::REQUEST };
        cookie.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(cookie)
    }

    /// Whether it asks for one.
    pub(crate) fn is_request(&self) -> bool {
        self.len == 0
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// What a SYN's or SYN-ACK's options say of it.
    pub(crate) fn parse(options: &[u8]) -> Option<Self> {
        let (magic_high, magic_low) = (MAGIC[0], MAGIC[1]);
        Options::new(options).find_map(|(kind, data)| match (kind, data) {
            (FAST_OPEN, cookie) => Self::read(cookie, false),
            (EXPERIMENT, &[high, low, ref cookie @ ..]) if (high, low) == (magic_high, magic_low) => {
                Self::read(cookie, true)
            }
            _ => None,
        })
    }

    /// The option, with its padding; its first bytes, as many as the second value says.
    pub(crate) fn option(&self) -> ([u8; 20], usize) {
        let mut bytes = [1; 20];
        let head: &[u8] = match self.experimental {
            true => &[EXPERIMENT, 4 + self.len, MAGIC[0], MAGIC[1]],
            false => &[FAST_OPEN, 2 + self.len],
        };
        bytes[..head.len()].copy_from_slice(head);
        let len = (head.len() + usize::from(self.len)).min(bytes.len());
        bytes[head.len()..len].copy_from_slice(&self.bytes[..len - head.len()]);
        (bytes, len.next_multiple_of(4).min(20))
    }
}

impl FastOpen {
    /// The cookie for the peer of `tuple` (as Linux makes it, so that servers of both kinds can share a key).
    pub(crate) fn cookie(&self, tuple: &Tuple, experimental: bool) -> Cookie {
        let mut ends = [0; 32];
        let (remote, local) = (tuple.remote, tuple.local);
        let len = match (remote, local) {
            (IpAddr::V4(remote), IpAddr::V4(local)) => {
                ends[..4].copy_from_slice(&remote.octets());
                ends[4..8].copy_from_slice(&local.octets());
                8
            }
            (IpAddr::V6(remote), IpAddr::V6(local)) => {
                ends[..16].copy_from_slice(&remote.octets());
                ends[16..].copy_from_slice(&local.octets());
                32
            }
            _ => 0,
        };
        let hash = Secret::new(self.key).short_hash(&ends[..len]).to_le_bytes();
        let mut cookie = Cookie { len: 8, experimental, ..Cookie::REQUEST };
        cookie.bytes[..8].copy_from_slice(&hash);
        cookie
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// Takes data with the SYN at a listener from now on, or not any more (`None`, as at first).
    pub fn set_fast_open(&mut self, id: ListenerId, fast_open: Option<FastOpen>) {
        if self.listener(id).is_some()
            && let Some(door) = self.listeners.get_mut(id.index as usize)
        {
            door.fast_open = fast_open;
        }
    }
}

/// RFC 7413 §4.1.1.
const FAST_OPEN: u8 = 34;
/// RFC 6994, with the magic number of the experiment.
const EXPERIMENT: u8 = 254;
const MAGIC: [u8; 2] = [0xf9, 0x89];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_written_as_it_is_read() {
        for (bytes, experimental) in
            [(&[1, 2, 3, 4, 5, 6, 7, 8][..], true), (&[9; 16], false), (&[], true), (&[], false)]
        {
            let cookie = Cookie::read(bytes, experimental).unwrap();
            let (option, len) = cookie.option();
            assert_eq!(len % 4, 0);
            assert_eq!(Cookie::parse(&option[..len]), Some(cookie));
        }
    }

    #[test]
    fn cookies_of_other_lengths_are_none() {
        for len in [0, 1, 2, 3, 5, 17, 18] {
            assert_eq!(Cookie::new(&[7; 18][..len], false), None, "{len}");
        }
    }

    #[test]
    fn cookies_are_those_of_linux() {
        // The key a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4 of Linux's `tcp_fastopen_key`.
        let mut key = [0; 16];
        for (word, byte) in key.chunks_mut(4).zip([0xa1, 0xb2, 0xc3, 0xd4]) {
            word.fill(byte);
        }
        let fast_open = FastOpen { key, pending: 1, without_cookie: false };
        let tuple =
            Tuple { local: [192, 168, 0, 1].into(), remote: [192, 0, 2, 1].into(), local_port: 80, remote_port: 4000 };
        let cookie = fast_open.cookie(&tuple, false);
        assert_eq!(cookie.as_bytes(), [0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb]);
    }
}
