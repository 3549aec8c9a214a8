//! Numbers that only who knows the key can foresee.

use core::net::SocketAddr;

use siphasher::sip::SipHasher24;

/// A keyed hash of the two ends of a connection and of what else it shall depend on.
///
/// SipHash-2-4: strangers see its results, in sequence numbers and cookies, and must learn nothing from them.
pub(crate) fn hash(key: &[u8; 16], local: SocketAddr, remote: SocketAddr, more: u64) -> u64 {
    let mut bytes = [0; 44];
    let fields = [&address(local)[..], &address(remote), &port(local), &port(remote), &more.to_be_bytes()];
    for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
        *to = *from;
    }
    SipHasher24::new_with_key(key).hash(&bytes)
}

/// An IPv4 address as the IPv6 address that maps to it.
fn address(end: SocketAddr) -> [u8; 16] {
    match end {
        SocketAddr::V4(end) => end.ip().to_ipv6_mapped().octets(),
        SocketAddr::V6(end) => end.ip().octets(),
    }
}

fn port(end: SocketAddr) -> [u8; 2] {
    end.port().to_be_bytes()
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
