//! What strangers do with fragments, by the names the attacks have.

mod common;

use core::net::Ipv4Addr;

use common::*;
use mirage_ipv4::{Config, Discard, Ipv4};

fn piece(offset: usize, len: usize, more: bool) -> Raw {
    Raw { offset, more, payload: pattern(offset + len)[offset..].to_vec(), ..Raw::default() }
}

/// Gives `pieces`; the last is refused for `reason`, and so is everything that comes after.
#[track_caller]
fn assert_dropped(pieces: &[Raw], reason: Discard) {
    let mut host = host();
    assert_eq!(give_all(&mut host, pieces), Err(reason));
    assert_eq!(host.discards().of(reason), 1);
    assert_eq!(host.blocks_in_use(), 2, "nothing but the memory that it was dropped, and of whom");
    for piece in pieces.iter().filter(|piece| piece.offset != 8 || piece.protocol != TCP) {
        assert_eq!(give(&mut host, piece), Err(Discard::DroppedDatagram));
    }
    host.handle_timeout(secs(31));
    assert_eq!(host.blocks_in_use(), 0);
    // Afterwards the number is free again.
    let whole = cut(&Raw { payload: pattern(100), ..Raw::default() }, &[48]);
    assert_eq!(give_at(&mut host, secs(31), &whole[0]), Ok(None));
    assert_eq!(give_at(&mut host, secs(31), &whole[1]), Ok(Some(pattern(100))));
}

#[test]
fn teardrop_a_fragment_inside_another_drops_the_datagram() {
    assert_dropped(&[piece(0, 40, true), piece(24, 4, false)], Discard::InconsistentEnd);
    assert_dropped(&[piece(0, 40, true), piece(24, 8, true)], Discard::OverlappingFragment);
}

#[test]
fn every_way_to_overlap_drops_the_datagram() {
    let overlaps = [
        [piece(8, 16, true), piece(0, 16, true)],
        [piece(8, 16, true), piece(16, 16, true)],
        [piece(8, 16, true), piece(16, 8, true)],
        [piece(8, 16, true), piece(8, 8, true)],
        [piece(8, 16, true), piece(8, 24, true)],
        [piece(8, 16, true), piece(0, 40, true)],
        [piece(16, 16, true), piece(8, 32, false)],
        [piece(8, 16, true), piece(8, 16, false)],
        [piece(8, 16, false), piece(0, 16, true)],
        // Across blocks.
        [piece(504, 16, true), piece(512, 8, true)],
        [piece(504, 16, true), piece(504, 8, true)],
        [piece(0, 2048, true), piece(1024, 8, true)],
        [piece(1024, 8, true), piece(0, 2048, true)],
    ];
    for pieces in overlaps {
        assert_dropped(&pieces, Discard::OverlappingFragment);
    }
    // Two fragments are not the duplicate of one.
    assert_dropped(&[piece(0, 8, true), piece(8, 8, true), piece(0, 16, true)], Discard::OverlappingFragment);
}

#[test]
fn the_same_place_with_other_bytes_is_an_overlap() {
    let other = Raw { payload: vec![0x55; 16], ..piece(8, 16, true) };
    assert_dropped(&[piece(8, 16, true), other], Discard::OverlappingFragment);
}

#[test]
fn exact_duplicates_are_ignored() {
    for len in [13, 16, 600, 2000] {
        let pieces = [piece(0, 512, true), piece(512, 1024, true), piece(1536, len, false)];
        for order in permutations(3) {
            let mut host = host();
            for at in &order[..2] {
                assert_eq!(give(&mut host, &pieces[*at]), Ok(None));
                assert_eq!(give(&mut host, &pieces[*at]), Err(Discard::DuplicateFragment));
            }
            assert_eq!(give(&mut host, &pieces[order[0]]), Err(Discard::DuplicateFragment));
            assert_eq!(give(&mut host, &pieces[order[2]]), Ok(Some(pattern(1536 + len))));
        }
    }
}

#[test]
fn ping_of_death_a_datagram_beyond_65535_bytes_is_refused_before_it_is_stored() {
    let mut host = host();
    for (offset, len) in [(65_528, 1), (65_512, 4), (65_528, 1480), (64_120, 1400)] {
        assert_eq!(give(&mut host, &piece(offset, len, false)), Err(Discard::OversizedDatagram), "{offset} + {len}");
    }
    assert_eq!(host.blocks_in_use(), 0);
    assert_eq!(give(&mut host, &piece(65_512, 3, false)), Ok(None));
}

#[test]
fn ping_of_death_the_length_of_the_first_header_counts() {
    let mut host = host();
    // As long as it may be with a header of 20 bytes, but the first fragment has one of 60.
    let whole = Raw { payload: pattern(65_515), ..Raw::default() };
    let mut pieces = cut_for_mtu(&whole, 1500);
    pieces.reverse();
    let first = pieces.len() - 1;
    pieces[first].options = vec![1; 40];
    assert_eq!(give_all(&mut host, &pieces), Err(Discard::OversizedDatagram));
    assert_eq!(host.blocks_in_use(), 0);
}

#[test]
fn data_behind_the_last_fragment_drops_the_datagram() {
    assert_dropped(&[piece(8, 8, false), piece(16, 8, true)], Discard::InconsistentEnd);
    assert_dropped(&[piece(24, 8, true), piece(8, 8, false)], Discard::InconsistentEnd);
    assert_dropped(&[piece(8, 8, false), piece(0, 16, true)], Discard::InconsistentEnd);
}

#[test]
fn two_different_last_fragments_drop_the_datagram() {
    assert_dropped(&[piece(8, 8, false), piece(16, 8, false)], Discard::InconsistentEnd);
    assert_dropped(&[piece(16, 8, false), piece(8, 8, false)], Discard::InconsistentEnd);
    assert_dropped(&[piece(16, 7, false), piece(16, 5, false)], Discard::InconsistentEnd);
}

#[test]
fn a_middle_fragment_that_is_no_multiple_of_eight_is_refused() {
    for len in [1, 7, 9, 1479] {
        let mut host = host();
        assert_eq!(give(&mut host, &piece(16, len, true)), Err(Discard::UnalignedFragment));
        assert_eq!(host.blocks_in_use(), 0);
    }
}

#[test]
fn an_empty_fragment_is_refused() {
    for (offset, more) in [(0, true), (8, true), (8, false)] {
        assert_eq!(give(&mut host(), &piece(offset, 0, more)), Err(Discard::EmptyFragment));
    }
}

#[test]
fn tiny_fragments_that_hide_the_tcp_header_are_refused() {
    let tcp = |offset, len| Raw { protocol: TCP, ..piece(offset, len, true) };
    for (offset, len) in [(0, 8), (0, 16), (8, 8), (8, 1480)] {
        assert_eq!(give(&mut host(), &tcp(offset, len)), Err(Discard::TinyFragment), "{offset} + {len}");
    }
    assert_eq!(give(&mut host(), &tcp(0, 24)), Ok(None));
    assert_eq!(give(&mut host(), &tcp(16, 8)), Ok(None));
    assert_eq!(give(&mut host(), &piece(0, 8, true)), Ok(None), "UDP's header fits into eight bytes");
}

/// Whether a datagram in two pieces still comes together, with `flood` in between.
fn survives(host: &mut Ipv4<'_>, flood: impl FnOnce(&mut Ipv4<'_>)) -> bool {
    let victim = cut_for_mtu(&Raw { payload: pattern(3000), ..Raw::default() }, 1500);
    assert_eq!(give(host, &victim[0]), Ok(None));
    flood(host);
    give(host, &victim[1]).unwrap();
    give(host, &victim[2]).unwrap().is_some()
}

const ATTACKER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 66);

#[test]
fn fragmentsmack_one_source_cannot_shut_out_another() {
    let mut host = host();
    assert!(survives(&mut host, |host| {
        for id in 0..10_000 {
            let _ = give(host, &Raw { source: ATTACKER, id, ..piece(1480, 1480, true) });
        }
    }));
}

#[test]
fn fragmentsmack_one_endless_datagram_cannot_shut_out_another() {
    let mut host = host();
    assert!(survives(&mut host, |host| {
        for offset in (0..65_000).step_by(16) {
            let _ = give(host, &Raw { source: ATTACKER, ..piece(offset, 8, true) });
        }
        assert_eq!(host.discards().of(Discard::TooManyFragments), 1);
    }));
}

#[test]
fn fragmentsmack_dropped_datagrams_cannot_shut_out_another() {
    let mut host = host();
    assert!(survives(&mut host, |host| {
        for id in 0..1000 {
            let attack = |piece| Raw { source: ATTACKER, id, ..piece };
            let _ = give(host, &attack(piece(8, 16, true)));
            let _ = give(host, &attack(piece(16, 16, true)));
        }
        assert_eq!(host.discards().of(Discard::OverlappingFragment), 1000);
    }));
}

#[test]
fn fragmentsmack_a_large_datagram_survives_a_flood_of_small_ones() {
    // The victim holds more than half of the blocks, the attacker all but one of the datagrams.
    let mut host = host();
    let victim = cut_for_mtu(&Raw { payload: pattern(65_515), ..Raw::default() }, 1500);
    let (last, most) = victim.split_last().unwrap();
    for piece in most {
        assert_eq!(give(&mut host, piece), Ok(None));
    }
    for id in 0..10_000 {
        let _ = give(&mut host, &Raw { source: ATTACKER, id, ..piece(8, 8, true) });
    }
    assert_eq!(give(&mut host, last), Ok(Some(pattern(65_515))));
}

#[test]
fn fragmentsmack_a_small_datagram_survives_a_flood_of_large_ones() {
    // Blocks run out long before datagrams do.
    let mut config = Config::default();
    config.limits.bytes_per_source = u32::MAX;
    config.limits.datagrams = 1000;
    let mut host = host_with(config, 256, 65_535);
    assert!(survives(&mut host, |host| {
        // The victim has more datagrams than the attacker, but they are small.
        for id in 100..103 {
            assert_eq!(give(host, &Raw { id, ..piece(8, 8, true) }), Ok(None));
        }
        for id in 0..20 {
            for large in cut_for_mtu(&Raw { source: ATTACKER, id, payload: pattern(60_000), ..Raw::default() }, 1500)
                .iter()
                .skip(1)
            {
                let _ = give(host, large);
            }
        }
    }));
}

#[test]
fn fragmentsmack_memory_stays_in_its_bounds_under_a_flood_from_everywhere() {
    let mut host = host_with(Config::default(), 64, 65_535);
    for n in 0..20_000_u32 {
        let source = Ipv4Addr::from(0x0b00_0000 + n % 7919);
        let _ = give(&mut host, &Raw { source, id: n as u16, ..piece(n as usize % 100 * 8, 64, n % 3 != 0) });
        assert!(host.blocks_in_use() <= 64);
    }
    host.handle_timeout(secs(99));
    assert_eq!(host.blocks_in_use(), 0);
    let pieces = cut(&Raw { payload: pattern(100), ..Raw::default() }, &[48]);
    assert_eq!(give_all(&mut host, &pieces), Ok(Some(pattern(100))));
}

#[test]
fn datagrams_whose_time_is_over_give_way_first() {
    let mut config = Config::default();
    config.limits.datagrams = 2;
    let mut host = host_with(config, 64, 65_535);
    let old = Raw { source: ATTACKER, ..piece(8, 8, true) };
    give_at(&mut host, secs(0), &old).unwrap();
    // The source that holds most has come later.
    let young = cut(&Raw { id: 1, payload: pattern(30_000), ..Raw::default() }, &[29_000]);
    give_at(&mut host, secs(20), &young[0]).unwrap();
    give_at(&mut host, secs(30), &Raw { id: 2, ..old }).unwrap();
    assert_eq!(give_at(&mut host, secs(31), &young[1]), Ok(Some(pattern(30_000))));
}
