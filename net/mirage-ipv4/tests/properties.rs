//! What holds for every packet, not only for those somebody thought of.

mod common;

use common::*;
use mirage_ipv4::{Config, Ipv4, Limits};
use mirage_net::ReceivedChecksum;
use mirage_protocols::Cast;
use proptest::prelude::*;
use proptest::sample::subsequence;

/// A datagram in pieces, shuffled, some of them twice.
fn pieces_in_any_order() -> impl Strategy<Value = (usize, Vec<Raw>)> {
    (1..65_515_usize)
        .prop_flat_map(|len| {
            let units = (len - 1) / 8;
            let cuts = subsequence((1..=units).collect::<Vec<_>>(), 0..=units.min(60));
            (Just(len), cuts)
        })
        .prop_flat_map(|(len, cuts)| {
            let whole = Raw { payload: pattern(len), ..Raw::default() };
            let cuts: Vec<_> = cuts.into_iter().map(|unit| unit * 8).collect();
            let mut pieces = cut(&whole, &cuts);
            let twice = pieces.len() / 3;
            pieces.extend_from_within(..twice);
            (Just(len), Just(pieces).prop_shuffle())
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_datagram_split_in_any_legal_way_comes_together_in_any_order((len, pieces) in pieces_in_any_order()) {
        let mut host = host();
        let whole: Vec<_> = pieces.iter().filter_map(|piece| give(&mut host, piece).ok().flatten()).collect();
        prop_assert!(!whole.is_empty());
        prop_assert!(whole.iter().all(|whole| *whole == pattern(len)));
    }

    #[test]
    fn random_bytes_do_no_harm(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..50)) {
        let mut host = host();
        for bytes in packets {
            let _ = host.input(secs(1), FIRST, Cast::Unicast, &bytes, ReceivedChecksum::Unchecked, None);
        }
        host.handle_timeout(secs(99));
        prop_assert_eq!(host.blocks_in_use(), 0);
    }

    #[test]
    fn headers_of_random_bytes_with_a_right_checksum_do_no_harm(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 20..100), 0..50),
    ) {
        let mut host = host_with(Config { accept_any: true, ..Config::default() }, 8, 65_535);
        for mut bytes in packets {
            bytes[0] = 0x45 + bytes[0] % 4;
            let len = bytes.len() as u16;
            bytes[2..4].copy_from_slice(&len.to_be_bytes());
            if bytes.len() < usize::from(bytes[0] & 15) * 4 {
                continue;
            }
            let _ = give_bytes(&mut host, secs(1), &sealed(bytes));
        }
        host.handle_timeout(secs(99));
        prop_assert_eq!(host.blocks_in_use(), 0);
    }
}

/// What a network can do to a host.
#[derive(Clone, Debug)]
enum Operation {
    Fragment { source: u8, id: u16, unit: usize, len: usize, more: bool, fill: u8 },
    Wait { seconds: u64 },
    Expire,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        20 => (0..16_u8, 0..4_u16, 0..200_usize, 1..1500_usize, any::<bool>(), 0..2_u8).prop_map(
            |(source, id, unit, len, more, fill)| Operation::Fragment {
                source,
                id,
                unit,
                len: if more { len.next_multiple_of(8) } else { len },
                more,
                fill,
            },
        ),
        2 => (0..20_u64).prop_map(|seconds| Operation::Wait { seconds }),
        1 => Just(Operation::Expire),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (1..24_u16, 1..8_u16, 1..16_u32, 1..40_u32).prop_map(|(datagrams, per_datagram, per_source, blocks)| Limits {
        datagrams,
        fragments_per_datagram: per_datagram,
        fragments_per_source: per_source,
        bytes_per_source: blocks * 512,
        ..Limits::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_sequence_of_fragments_breaks_the_books(
        limits in limits(),
        blocks in 0..80_usize,
        operations in prop::collection::vec(operation(), 0..200),
    ) {
        let mut host: Ipv4<'_> = host_with(Config { limits, ..Config::default() }, blocks, 3000);
        let mut now = secs(0);
        for operation in operations {
            match operation {
                Operation::Fragment { source, id, unit, len, more, fill } => {
                    let source = [10, 0, 0, 10 + source].into();
                    let raw = Raw { source, id, offset: unit * 8, more, payload: vec![fill; len], ..Raw::default() };
                    if let Ok(Some(whole)) = give_at(&mut host, now, &raw) {
                        prop_assert!(whole.len() <= 2980);
                    }
                }
                Operation::Wait { seconds } => now += secs(seconds).since(secs(0)),
                Operation::Expire => {
                    while let Some(expired) = host.poll_expired(now) {
                        prop_assert!(expired.payload.len() >= 8 && expired.header.len() >= 20);
                    }
                }
            }
            prop_assert!(host.blocks_in_use() <= blocks);
        }
        host.handle_timeout(now + limits.timeout);
        prop_assert_eq!(host.blocks_in_use(), 0);
        prop_assert_eq!(host.poll_timeout(), None);
    }

    #[test]
    fn what_is_sent_at_any_mtu_arrives(len in 0..65_515_usize, mtu in 68..9000_usize) {
        let (mut host, mut links) = (host(), Links::new(mtu));
        let packet = mirage_protocols::Packet::new(US.into(), PEER.into(), mirage_protocols::Protocol::UDP, len);
        mirage_protocols::Ip::send(&mut host.over(&mut links), packet, |frame| frame.put(&pattern(len))).unwrap();
        let limits = Limits { fragments_per_datagram: 2000, fragments_per_source: 2000, ..Limits::default() };
        let mut peer = bare(Config { limits, ..Config::default() }, 256, 65_535, 0);
        peer.add_address(FIRST, cidr("10.0.0.1/24")).unwrap();
        let mut whole = None;
        for bytes in links.take() {
            prop_assert_eq!(whole, None);
            whole = give_bytes(&mut peer, secs(1), &bytes).unwrap();
        }
        prop_assert_eq!(whole, Some(pattern(len)));
    }
}
