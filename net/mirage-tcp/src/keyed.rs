//! Numbers that only who knows the key can foresee.

use core::net::{IpAddr, SocketAddr};

use mirage_secret::Secret;
use zerocopy::IntoBytes;

use crate::Profile;
use crate::demux::Tuple;

/// A keyed hash of the two ends of a connection and of what else it shall depend on; 0 for nothing else.
///
/// Strangers see its results, in sequence numbers and cookies, and must learn nothing from them.
pub(crate) fn hash(secret: &Secret, local: SocketAddr, remote: SocketAddr, more: u64) -> u64 {
    hash_twice(secret, local, remote, more).0
}

/// Two such hashes of the ends of a connection, of which one tells nothing of the other.
#[inline]
pub(crate) fn twice<P: Profile>(secret: &Secret, tuple: &Tuple) -> (u64, u64) {
    if P::STRAIGHT
        && let (IpAddr::V4(local), IpAddr::V4(remote)) = (tuple.local, tuple.remote)
    {
        let ports = u32::from(tuple.local_port) << 16 | u32::from(tuple.remote_port);
        return secret.hash_words_twice([local.to_bits(), remote.to_bits(), ports]);
    }
    hash_twice(secret, tuple.local(), tuple.remote(), 0)
}

#[inline(never)]
fn hash_twice(secret: &Secret, local: SocketAddr, remote: SocketAddr, more: u64) -> (u64, u64) {
    let ports = u32::from(local.port()) << 16 | u32::from(remote.port());
    if let (IpAddr::V4(local), IpAddr::V4(remote)) = (local.ip(), remote.ip()) {
        // Of another length than any other input, so it cannot be taken for one.
        let words = [local.to_bits(), remote.to_bits(), ports, (more >> 32) as u32, more as u32];
        let words = if more == 0 { &words[..3] } else { &words };
        return secret.hash_twice(words.as_bytes());
    }
    let words = [bits(local.ip()), bits(remote.ip()), u128::from(ports) << 64 | u128::from(more)];
    secret.hash_twice(words.as_bytes())
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
    use crate::{Small, Standard};
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

    #[test]
    fn both_of_two_hashes_change_with_everything_that_goes_in() {
        let tuple = |local, remote, local_port, remote_port| Tuple {
            local: IpAddr::V4(Ipv4Addr::new(10, 0, 0, local)),
            remote: IpAddr::V4(Ipv4Addr::new(10, 0, 0, remote)),
            local_port,
            remote_port,
        };
        let of = |key, tuple| twice::<Standard>(&Secret::new([key; 16]), &tuple);
        let base = of(1, tuple(1, 2, 80, 1234));
        assert_eq!(base, twice::<Small>(&Secret::new([1; 16]), &tuple(1, 2, 80, 1234)));
        assert_eq!(base, of(1, tuple(1, 2, 80, 1234)));
        for other in [
            of(2, tuple(1, 2, 80, 1234)),
            of(1, tuple(3, 2, 80, 1234)),
            of(1, tuple(1, 3, 80, 1234)),
            of(1, tuple(2, 1, 80, 1234)),
            of(1, tuple(1, 2, 81, 1234)),
            of(1, tuple(1, 2, 80, 1235)),
        ] {
            assert!(base.0 != other.0 && base.1 != other.1 && base.0 != other.1);
        }
    }
}
