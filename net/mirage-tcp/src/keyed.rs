//! Numbers that only who knows the key can foresee.

use core::net::{IpAddr, SocketAddr};

use mirage_secret::Secret;
use zerocopy::IntoBytes;

/// A keyed hash of the two ends of a connection and of what else it shall depend on; 0 for nothing else.
///
/// Strangers see its results, in sequence numbers and cookies, and must learn nothing from them.
pub(crate) fn hash(secret: &Secret, local: SocketAddr, remote: SocketAddr, more: u64) -> u64 {
    let ports = u32::from(local.port()) << 16 | u32::from(remote.port());
    if let (IpAddr::V4(local), IpAddr::V4(remote)) = (local.ip(), remote.ip()) {
        // Of another length than any other input, so it cannot be taken for one.
        let words = [local.to_bits(), remote.to_bits(), ports, (more >> 32) as u32, more as u32];
        let words = if more == 0 { &words[..3] } else { &words };
        return secret.hash(words.as_bytes());
    }
    let words = [bits(local.ip()), bits(remote.ip()), u128::from(ports) << 64 | u128::from(more)];
    secret.hash(words.as_bytes())
}

/// An IPv4 address as the IPv6 address that maps to it.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
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
