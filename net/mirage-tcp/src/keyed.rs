//! Numbers that only who knows the key can foresee.

use core::net::{IpAddr, SocketAddr};

use mirage_secret::Secret;

/// A keyed hash of the two ends of a connection and of what else it shall depend on.
///
/// Strangers see its results, in sequence numbers and cookies, and must learn nothing from them.
pub(crate) fn hash(secret: &Secret, local: SocketAddr, remote: SocketAddr, more: u64) -> u64 {
    let mut bytes = [0; 44];
    for (end, place) in [local, remote].into_iter().zip(bytes.as_chunks_mut::<18>().0) {
        place[..16].copy_from_slice(&octets(end.ip()));
        place[16..].copy_from_slice(&end.port().to_be_bytes());
    }
    bytes[36..].copy_from_slice(&more.to_be_bytes());
    secret.hash(&bytes)
}

/// An IPv4 address as the IPv6 address that maps to it: no peer has one of those.
fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn everything_that_goes_in_changes_what_comes_out() {
        let end = |host, port| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), port);
        let base = hash(&Secret::new([1; 16]), end(1, 80), end(2, 1234), 7);
        assert_eq!(base, hash(&Secret::new([1; 16]), end(1, 80), end(2, 1234), 7));
        assert_ne!(base, hash(&Secret::new([2; 16]), end(1, 80), end(2, 1234), 7));
        assert_ne!(base, hash(&Secret::new([1; 16]), end(3, 80), end(2, 1234), 7));
        assert_ne!(base, hash(&Secret::new([1; 16]), end(1, 81), end(2, 1234), 7));
        assert_ne!(base, hash(&Secret::new([1; 16]), end(1, 80), end(3, 1234), 7));
        assert_ne!(base, hash(&Secret::new([1; 16]), end(1, 80), end(2, 1235), 7));
        assert_ne!(base, hash(&Secret::new([1; 16]), end(1, 80), end(2, 1234), 8));
    }
}
