//! Fragments come together, whatever their order, and only those of one datagram.

mod common;

use common::*;
use mirage_clock::{Duration, Instant};
use mirage_ipv4::{Block, Config, Discard, Fragmentation, Ipv4, Limits, Storage};
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, Ip, Packet, Protocol};

fn whole(len: usize) -> Raw {
    Raw { payload: pattern(len), ..Raw::default() }
}

#[test]
fn unfragmented_packets_of_all_sizes_pass_untouched() {
    for len in [0, 1, 8, 100, 1000, 1480, 5000, 10_000] {
        let mut host = host();
        assert_eq!(give(&mut host, &whole(len)), Ok(Some(pattern(len))));
        assert_eq!(host.blocks_in_use(), 0);
    }
}

#[test]
fn atomic_packets_never_meet_waiting_fragments_of_the_same_number() {
    let mut host = host();
    let pieces = cut(&whole(24), &[8]);
    assert_eq!(give(&mut host, &pieces[0]), Ok(None));
    assert_eq!(give(&mut host, &whole(100)), Ok(Some(pattern(100))));
    assert_eq!(give(&mut host, &pieces[1]), Ok(Some(pattern(24))));
}

#[test]
fn a_lone_piece_yields_nothing() {
    for piece in cut(&whole(24), &[8, 16]) {
        assert_eq!(give(&mut host(), &piece), Ok(None));
    }
}

#[test]
fn every_order_of_two_to_five_pieces_gives_the_same_payload() {
    for cuts in [&[1480][..], &[8, 1000], &[512, 1024, 1480], &[8, 16, 520, 1024]] {
        let pieces = cut(&whole(1495), cuts);
        for order in permutations(pieces.len()) {
            let mut host = host();
            let ordered: Vec<_> = order.iter().map(|at| pieces[*at].clone()).collect();
            assert_eq!(give_all(&mut host, &ordered), Ok(Some(pattern(1495))), "{cuts:?} in order {order:?}");
            assert_eq!(host.blocks_in_use(), 0);
        }
    }
}

#[test]
fn a_reassembled_datagram_has_the_first_fragments_header_with_the_length_of_the_whole() {
    let mut host = host();
    let pieces = cut(&Raw { options: vec![0x94, 4, 0, 0], ttl: 9, ..whole(40) }, &[16]);
    assert_eq!(give(&mut host, &Raw { options: vec![], ttl: 3, ..pieces[1].clone() }), Ok(None));
    let bytes = pieces[0].bytes();
    let incoming =
        host.input(secs(1), FIRST, Cast::Unicast, &bytes, ReceivedChecksum::Verified, None).unwrap().unwrap();
    assert!(incoming.fragmented);
    assert_eq!(incoming.protocol, Protocol::UDP);
    assert_eq!(incoming.received.ttl, 9);
    assert_eq!(incoming.received.checksum, ReceivedChecksum::Unchecked);
    assert_eq!(incoming.header.len(), 24);
    assert_eq!(incoming.header[2..8], [0, 64, 0, 7, 0, 0]);
    assert_eq!(ones_sum(incoming.header), 0xffff);
    assert_eq!(incoming.received.payload, pattern(40));
}

#[test]
fn pieces_join_until_the_timeout_and_not_at_it() {
    let pieces = cut(&whole(24), &[8]);
    let deadline = secs(31);
    for (then, expected) in [(deadline.saturating_sub(Duration::from_nanos(1)), Some(pattern(24))), (deadline, None)] {
        let mut host = host();
        assert_eq!(give_at(&mut host, secs(1), &pieces[0]), Ok(None));
        assert_eq!(host.poll_timeout(), Some(deadline));
        assert_eq!(give_at(&mut host, then, &pieces[1]), Ok(expected));
    }
}

#[test]
fn a_later_fragment_does_not_prolong_the_wait() {
    let mut host = host();
    let pieces = cut(&whole(24), &[8, 16]);
    assert_eq!(give_at(&mut host, secs(1), &pieces[0]), Ok(None));
    assert_eq!(give_at(&mut host, secs(20), &pieces[1]), Ok(None));
    assert_eq!(host.poll_timeout(), Some(secs(31)));
}

#[test]
fn another_flow_never_mixes() {
    let pieces = cut(&whole(24), &[8]);
    let other = [
        Raw { source: "10.0.0.9".parse().unwrap(), ..pieces[1].clone() },
        Raw { destination: "10.0.0.255".parse().unwrap(), ..pieces[1].clone() },
        Raw { protocol: ICMP, ..pieces[1].clone() },
        Raw { id: 8, ..pieces[1].clone() },
    ];
    let mut host = host();
    assert_eq!(give(&mut host, &pieces[0]), Ok(None));
    for piece in &other {
        assert_eq!(give(&mut host, piece), Ok(None));
    }
    assert_eq!(give(&mut host, &pieces[1]), Ok(Some(pattern(24))));
}

#[test]
fn many_datagrams_at_once_all_come_together() {
    let mut host = host();
    let datagrams: Vec<_> = (0..60).map(|id| cut(&Raw { id, ..whole(600 + usize::from(id)) }, &[512])).collect();
    for datagram in &datagrams {
        assert_eq!(give(&mut host, &datagram[1]), Ok(None));
    }
    for (id, datagram) in datagrams.iter().enumerate().rev() {
        assert_eq!(give(&mut host, &datagram[0]), Ok(Some(pattern(600 + id))));
    }
    assert_eq!(host.blocks_in_use(), 0);
}

#[test]
fn a_ping_of_65507_bytes_passes_at_every_mtu() {
    // 65,507 bytes of ICMP data and its header of eight fill a packet to the last byte.
    for mtu in [576, 1006, 1500, 9000] {
        let mut host = host();
        let mut pieces = cut_for_mtu(&Raw { protocol: ICMP, ..whole(65_515) }, mtu);
        assert_eq!(give_all(&mut host, &pieces), Ok(Some(pattern(65_515))), "MTU {mtu}");
        pieces.reverse();
        assert_eq!(give_all(&mut host, &pieces), Ok(Some(pattern(65_515))), "MTU {mtu}, last first");
    }
}

#[test]
fn the_smallest_memory_that_is_enough_is_enough() {
    // A source, a datagram, and three blocks of payload.
    let pieces = cut(&whole(3 * Block::PAYLOAD), &[8, 512, 1024]);
    let mut host = host_with(Config::default(), 5, 20 + 3 * Block::PAYLOAD);
    assert_eq!(give_all(&mut host, &pieces), Ok(Some(pattern(3 * Block::PAYLOAD))));
    let mut host = host_with(Config::default(), 4, 65_535);
    assert_eq!(give_all(&mut host, &pieces), Err(Discard::NoMemory));
    assert_eq!(host.blocks_in_use(), 0);
}

#[test]
fn a_datagram_longer_than_the_assembly_buffer_is_refused_and_counted() {
    let pieces = cut(&whole(1000), &[800]);
    let mut host = host_with(Config::default(), 256, 1019);
    assert_eq!(give_all(&mut host, &pieces), Err(Discard::OversizedDatagram));
    assert_eq!(host.discards().of(Discard::OversizedDatagram), 1);
    let mut host = host_with(Config::default(), 256, 1020);
    assert_eq!(give_all(&mut host, &pieces), Ok(Some(pattern(1000))));
}

#[test]
fn memory_that_was_lent_before_serves_again() {
    let mut blocks = vec![Block::EMPTY; 64];
    // The same secret puts everything into the same places.
    for secret in [[1; 16], [1; 16], [2; 16]] {
        let mut assembly = [0; 4096];
        let (mut addresses, mut out) = ([None; 1], []);
        let storage = Storage {
            addresses: (&mut addresses[..]).into(),
            routes: (&mut [][..]).into(),
            groups: (&mut [][..]).into(),
            reassembly: (&mut blocks[..]).into(),
            assembly: (&mut assembly[..]).into(),
            fragments_out: (&mut out[..]).into(),
        };
        let mut ipv4 = Ipv4::new(Config::default(), storage, secret);
        ipv4.add_address(FIRST, cidr("10.0.0.2/24")).unwrap();
        for id in 0..30 {
            let _ = give(&mut ipv4, &Raw { id, more: true, ..Raw::default() });
        }
        let pieces = cut(&Raw { id: 99, ..whole(2000) }, &[8]);
        assert_eq!(give_all(&mut ipv4, &pieces), Ok(Some(pattern(2000))));
    }
}

#[test]
fn a_reassembled_datagram_is_answered_while_it_lies_in_the_arena() {
    let (mut host, mut links) = (host(), Links::new(1500));
    let pieces = cut(&whole(2000), &[800]);
    assert_eq!(give(&mut host, &pieces[0]), Ok(None));
    let (inbound, mut outbound) = host.split();
    let bytes = pieces[1].bytes();
    let incoming = inbound.input(secs(1), FIRST, Cast::Unicast, &bytes, ReceivedChecksum::Unchecked, None);
    let received = incoming.unwrap().expect("it is whole").received;
    let answer = Packet::new(received.destination, received.source, Protocol::ICMP, received.payload.len());
    outbound.over(&mut links).send(answer, |frame| frame.put(received.payload)).unwrap();
    assert_eq!(links.take().iter().flat_map(|bytes| bytes[20..].to_vec()).collect::<Vec<_>>(), pattern(2000));
}

#[test]
fn without_memory_fragments_are_refused_and_whole_packets_pass() {
    let mut host = host_with(Config::default(), 0, 65_535);
    assert_eq!(give(&mut host, &cut(&whole(24), &[8])[0]), Err(Discard::NoMemory));
    assert_eq!(give(&mut host, &whole(24)), Ok(Some(pattern(24))));
}

fn limited(limits: Limits) -> Ipv4<'static> {
    host_with(Config { limits, ..Config::default() }, 256, 65_535)
}

#[test]
fn a_datagram_in_as_many_pieces_as_allowed_passes_and_one_more_drops_it() {
    for (count, allowed) in [(16, true), (17, false)] {
        let mut host = limited(Limits { fragments_per_datagram: 16, ..Limits::default() });
        let pieces = cut(&whole(8 * count), &(1..count).map(|n| n * 8).collect::<Vec<_>>());
        let result = give_all(&mut host, &pieces);
        if allowed {
            assert_eq!(result, Ok(Some(pattern(8 * count))));
        } else {
            // Even the piece that would complete it is one too many.
            assert_eq!(result, Err(Discard::TooManyFragments));
            assert_eq!(give(&mut host, &pieces[0]), Err(Discard::DroppedDatagram));
        }
    }
}

#[test]
fn the_oldest_datagram_of_a_greedy_source_gives_way() {
    for limits in [
        Limits { fragments_per_source: 3, ..Limits::default() },
        // Each waiting datagram holds two blocks.
        Limits { bytes_per_source: 6 * Block::PAYLOAD as u32, ..Limits::default() },
        Limits { datagrams: 3, ..Limits::default() },
    ] {
        let mut host = limited(limits);
        let datagrams: Vec<_> = (0..4).map(|id| cut(&Raw { id, ..whole(100) }, &[48])).collect();
        for datagram in &datagrams {
            assert_eq!(give(&mut host, &datagram[0]), Ok(None));
        }
        assert_eq!(give(&mut host, &datagrams[3][1]), Ok(Some(pattern(100))), "{limits:?}");
        assert_eq!(give(&mut host, &datagrams[2][1]), Ok(Some(pattern(100))), "{limits:?}");
        assert_eq!(give(&mut host, &datagrams[0][1]), Ok(None), "the first piece was evicted; {limits:?}");
    }
}

#[test]
fn who_waited_in_vain_is_told_if_the_first_fragment_came() {
    let mut host = host();
    let pieces = cut(&Raw { options: vec![1; 4], ..whole(1200) }, &[80, 640, 1000]);
    give_at(&mut host, secs(1), &pieces[0]).unwrap();
    give_at(&mut host, secs(2), &pieces[2]).unwrap();
    // Of this one the beginning is missing.
    give_at(&mut host, secs(3), &Raw { id: 8, ..pieces[2].clone() }).unwrap();
    assert!(host.poll_expired(secs(30)).is_none());
    let expired = host.poll_expired(secs(31)).expect("the first fragment came");
    assert_eq!((expired.source, expired.destination), (PEER, US));
    assert_eq!((expired.interface, expired.cast), (FIRST, Cast::Unicast));
    assert_eq!(expired.header, &pieces[0].bytes()[..24]);
    assert_eq!(expired.payload, pattern(80));
    assert!(host.poll_expired(secs(31)).is_none());
    assert_eq!(host.poll_timeout(), Some(secs(33)));
    assert!(host.poll_expired(secs(33)).is_none());
    assert_eq!(host.blocks_in_use(), 0);
    assert_eq!(host.poll_timeout(), None);
}

#[test]
fn what_an_expired_datagram_shows_ends_at_its_first_hole() {
    let mut host = host();
    let pieces = cut(&whole(1200), &[80, 160, 240, 1000]);
    for at in [1, 0, 3] {
        give(&mut host, &pieces[at]).unwrap();
    }
    assert_eq!(host.poll_expired(secs(99)).expect("the first fragment came").payload, pattern(160));
}

#[test]
fn nobody_is_told_of_a_dropped_datagram() {
    let mut host = host();
    let pieces = cut(&whole(100), &[48]);
    give(&mut host, &pieces[0]).unwrap();
    let overlap = Raw { offset: 40, payload: vec![0; 60], ..pieces[1].clone() };
    assert_eq!(give(&mut host, &overlap), Err(Discard::OverlappingFragment));
    assert!(host.poll_expired(secs(99)).is_none());
    assert_eq!(host.blocks_in_use(), 0);
}

#[test]
fn the_timeout_frees_everything_also_when_nobody_is_told() {
    let mut host = host();
    for id in 0..20 {
        give(&mut host, &cut(&Raw { id, ..whole(3000) }, &[1480])[0]).unwrap();
    }
    assert!(host.blocks_in_use() > 60);
    host.handle_timeout(secs(30));
    assert!(host.blocks_in_use() > 60);
    host.handle_timeout(secs(31));
    assert_eq!(host.blocks_in_use(), 0);
    assert_eq!(host.poll_timeout(), None);
}

#[test]
fn time_that_stands_at_its_end_does_no_harm() {
    let mut host = host();
    let pieces = cut(&whole(24), &[8]);
    assert_eq!(give_at(&mut host, Instant::MAX, &pieces[0]), Ok(None));
    host.handle_timeout(Instant::MAX);
    assert_eq!(host.blocks_in_use(), 0);
}

#[test]
fn without_fragmentation_pieces_are_refused_and_whole_packets_pass() {
    let mut host = host_with(Config::new(Fragmentation::NONE), 256, 65_535);
    assert_eq!(give(&mut host, &cut(&whole(24), &[8])[0]), Err(Discard::Fragment));
    assert_eq!(give(&mut host, &whole(24)), Ok(Some(pattern(24))));
    assert_eq!((host.blocks_in_use(), host.poll_timeout()), (0, None));
}
