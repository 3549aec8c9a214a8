//! Numbers that only who knows the key can foresee.

use core::net::SocketAddr;

use siphasher::sip::SipHasher24;

/// A keyed hash of the two ends of a connection and of what else it shall depend on.
///
/// SipHash-2-4: strangers see its results, in sequence numbers and cookies, and must learn nothing from them.
pub(crate) fn hash(key: &[u8; 16], local: SocketAddr, remote: SocketAddr, more: u64) -> u64 {
    let hasher = SipHasher24::new_with_key(key);
    if let (SocketAddr::V4(local), SocketAddr::V4(remote)) = (local, remote) {
        // Shorter than any other input, so it cannot be taken for one.
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&local.ip().octets());
        bytes[4..8].copy_from_slice(&remote.ip().octets());
        bytes[8..10].copy_from_slice(&local.port().to_be_bytes());
        bytes[10..12].copy_from_slice(&remote.port().to_be_bytes());
        bytes[12..].copy_from_slice(&more.to_be_bytes());
        return hasher.hash(&bytes);
    }
    let mut bytes = [0; 44];
    bytes[..16].copy_from_slice(&octets(local));
    bytes[16..32].copy_from_slice(&octets(remote));
    bytes[32..34].copy_from_slice(&local.port().to_be_bytes());
    bytes[34..36].copy_from_slice(&remote.port().to_be_bytes());
    bytes[36..].copy_from_slice(&more.to_be_bytes());
    hasher.hash(&bytes)
}

/// An IPv4 address as the IPv6 address that maps to it.
fn octets(end: SocketAddr) -> [u8; 16] {
    match end {
        SocketAddr::V4(end) => end.ip().to_ipv6_mapped().octets(),
        SocketAddr::V6(end) => end.ip().octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{IpAddr, Ipv4Addr};

    #[test]
    fn everything_that_goes_in_changes_what_comes_out() {
        let end = |host, port| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), port);
        let base = hash(&[1; 16], end(1, 80), end(2, 1234), 7);
        assert_eq!(base, hash(&[1; 16], end(1, 80), end(2, 1234), 7));
        assert_ne!(base, hash(&[2; 16], end(1, 80), end(2, 1234), 7));
        assert_ne!(base, hash(&[1; 16], end(3, 80), end(2, 1234), 7));
        assert_ne!(base, hash(&[1; 16], end(1, 81), end(2, 1234), 7));
        assert_ne!(base, hash(&[1; 16], end(1, 80), end(3, 1234), 7));
        assert_ne!(base, hash(&[1; 16], end(1, 80), end(2, 1235), 7));
        assert_ne!(base, hash(&[1; 16], end(1, 80), end(2, 1234), 8));
    }
}
