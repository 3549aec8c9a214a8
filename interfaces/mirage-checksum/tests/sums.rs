//! What protocols see of a sum.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mirage_checksum::{Sum, checksum, copy_and_sum, update, verify};
use proptest::prelude::*;

#[test]
fn the_example_of_rfc_1071_comes_out() {
    let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(Sum::of(&bytes).partial(), 0xddf2);
    assert_eq!(checksum(&bytes), !0xddf2);
}

#[test]
fn a_header_with_its_checksum_is_valid_and_any_flipped_bit_is_seen() {
    let mut header = [0x45, 0, 0, 0x3c, 0x1c, 0x46, 0x40, 0, 64, 6, 0, 0, 172, 16, 10, 99, 172, 16, 10, 12];
    let sum = checksum(&header);
    assert_eq!(sum, 0xb1e6);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    assert!(verify(&header));
    for bit in 0..header.len() * 8 {
        header[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(&header), "bit {bit}");
        header[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn nothing_sums_to_zero() {
    assert_eq!(Sum::ZERO.partial(), 0);
    assert_eq!(checksum(&[]), 0xffff);
}

#[test]
fn a_udp_checksum_is_never_zero() {
    let sum = Sum::ZERO.add_u16(0xffff);
    assert_eq!((sum.finish(), sum.finish_udp()), (0, 0xffff));
    assert_eq!(Sum::ZERO.add_u16(1).finish_udp(), 0xfffe);
}

#[test]
fn the_pseudo_header_is_that_of_the_rfcs() {
    let (source, destination) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(198, 51, 100, 7));
    let bytes = [192, 0, 2, 1, 198, 51, 100, 7, 0, 17, 0x12, 0x34];
    assert_eq!(
        Sum::ZERO.pseudo_header(IpAddr::V4(source), IpAddr::V4(destination), 17, 0x1234).partial(),
        Sum::of(&bytes).partial()
    );
    let (source, destination): (Ipv6Addr, Ipv6Addr) =
        ("2001:db8::1".parse().unwrap(), "fe80::abcd:12".parse().unwrap());
    let mut bytes = Vec::new();
    bytes.extend(source.octets());
    bytes.extend(destination.octets());
    bytes.extend([0, 1, 0x12, 0x34, 0, 0, 0, 6]);
    assert_eq!(
        Sum::ZERO.pseudo_header(IpAddr::V6(source), IpAddr::V6(destination), 6, 0x1_1234).partial(),
        Sum::of(&bytes).partial()
    );
}

#[test]
fn the_example_of_rfc_1624_updates() {
    // RFC 1624 §4: a word changes from 0x5555 to 0x3285 under the checksum 0xdd2f.
    assert_eq!(update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

#[test]
fn the_shorter_side_governs_a_copy() {
    let mut long = [9; 6];
    assert_eq!(copy_and_sum(&mut long, &[1, 2, 3]).finish(), checksum(&[1, 2, 3]));
    assert_eq!(long, [1, 2, 3, 9, 9, 9]);
    let mut short = [0; 2];
    assert_eq!(copy_and_sum(&mut short, &[1, 2, 3]).finish(), checksum(&[1, 2]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_sum_like_the_whole(
        bytes in prop::collection::vec(any::<u8>(), 0..600), cuts in prop::collection::vec(0_usize..600, 0..6)
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let (mut sum, mut start, mut copy) = (Sum::ZERO, 0, vec![0; bytes.len()]);
        for (index, cut) in cuts.into_iter().enumerate() {
            sum = if index % 2 == 0 {
                sum.add_bytes(&bytes[start..cut])
            } else {
                sum.add_sum(copy_and_sum(&mut copy[start..cut], &bytes[start..cut]))
            };
            start = cut;
        }
        prop_assert_eq!(sum.partial(), Sum::of(&bytes).partial());
    }

    #[test]
    fn words_sum_like_their_bytes(
        before in prop::collection::vec(any::<u8>(), 0..5), word: u16, long: u32,
        after in prop::collection::vec(any::<u8>(), 0..5)
    ) {
        let mut bytes = before.clone();
        bytes.extend(word.to_be_bytes());
        bytes.extend(long.to_be_bytes());
        bytes.extend(&after);
        let sum = Sum::of(&before).add_u16(word).add_u32(long).add_bytes(&after);
        prop_assert_eq!(sum.partial(), Sum::of(&bytes).partial());
    }

    #[test]
    fn an_update_is_as_good_as_a_new_sum(
        mut bytes in prop::collection::vec(any::<u8>(), 4..100), at: prop::sample::Index, new: u16
    ) {
        bytes.truncate(bytes.len() & !1);
        let at = at.index(bytes.len() / 2) * 2;
        let (sum, old) = (checksum(&bytes), u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        bytes[at..at + 2].copy_from_slice(&new.to_be_bytes());
        let updated = update(sum, old, new);
        // Both zeroes of ones' complement count the same.
        prop_assert!(Sum::of(&bytes).add_u16(updated).is_valid() || bytes.iter().all(|&byte| byte == 0));
    }
}
