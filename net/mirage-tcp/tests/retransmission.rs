//! Sending again: timeouts (RFC 6298), fast retransmit and recovery (RFC 5681, RFC 6582), limited transmit (RFC 3042).

mod support;

use core::task::Poll;

use support::*;

fn payload(sent: &[Segment]) -> usize {
    sent.iter().map(|segment| segment.payload.len()).sum()
}

/// A connection whose peer takes much, so that only the congestion window counts.
fn wide(host: &mut Host) -> (Peer, ConnectionId) {
    accepted(host, Handshake { scale: Some(7), ..Handshake::default() })
}

/// Writes `data`, lets `rtt` pass and acknowledges it: one sample.
fn sample(host: &mut Host, peer: &Peer, id: ConnectionId, sent_before: u32, rtt: Duration) -> u32 {
    host.write(id, b"x");
    assert_eq!(payload(&host.output()), 1);
    host.pass(rtt);
    host.answer(&peer.segment(ACK, 1, sent_before + 1));
    sent_before + 1
}

#[test]
fn the_timeout_follows_the_formulas_of_rfc_6298() {
    let mut host = Host::default();
    // The handshake of a connection we open takes 100 ms: SRTT 100, RTTVAR 50, RTO 300.
    let id = host.connect(core::net::SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    assert_eq!(host.tcp.info(id).unwrap().rto, s(1));
    host.pass(ms(100));
    host.answer(&peer.segment(SYN | ACK, 0, 1));
    let info = host.tcp.info(id).unwrap();
    assert_eq!((info.srtt, info.rttvar, info.rto), (ms(100), ms(50), ms(300)));
    // A sample of 180: SRTT 110, RTTVAR 57.5, RTO 340.
    sample(&mut host, &peer, id, 1, ms(180));
    let info = host.tcp.info(id).unwrap();
    assert_eq!((info.srtt, info.rttvar, info.rto), (ms(110), Duration::from_micros(57_500), ms(340)));
}

#[test]
fn a_lost_segment_is_sent_again_ever_later() {
    let mut host = Host::default();
    let (peer, id) = wide(&mut host);
    sample(&mut host, &peer, id, 1, ms(100));
    let rto = host.tcp.info(id).unwrap().rto;
    host.write(id, b"lost");
    let times: Vec<u64> = host.pass(rto.saturating_mul(20)).iter().map(|(at, _)| at.as_micros()).collect();
    let unit = rto.as_micros();
    assert_eq!(times[..4], [0, unit, 3 * unit, 7 * unit]);
}

#[test]
fn a_segment_that_was_sent_again_is_no_sample() {
    // Karn's algorithm.
    let mut host = Host::default();
    let (peer, id) = wide(&mut host);
    sample(&mut host, &peer, id, 1, ms(100));
    let before = host.tcp.info(id).unwrap();
    host.write(id, b"lost");
    host.pass(ms(600));
    host.answer(&peer.segment(ACK, 1, 6));
    let after = host.tcp.info(id).unwrap();
    assert_eq!((after.srtt, after.rttvar), (before.srtt, before.rttvar));
}

#[test]
fn an_acknowledgement_of_new_data_ends_the_doubling() {
    let mut host = Host::default();
    let (peer, id) = wide(&mut host);
    let end = sample(&mut host, &peer, id, 1, ms(100));
    let rto = host.tcp.info(id).unwrap().rto;
    host.write(id, b"lost");
    host.pass(s(2));
    assert!(host.tcp.info(id).unwrap().rto > rto);
    host.answer(&peer.segment(ACK, 1, end + 4));
    sample(&mut host, &peer, id, end + 4, ms(100));
    assert!(host.tcp.info(id).unwrap().rto < rto.saturating_mul(2));
}

#[test]
fn the_shortest_timeout_is_the_configured_one() {
    let mut host = Host::new(Config { min_rto: s(1), ..Config::default() }, Sizes::default());
    let (peer, id) = wide(&mut host);
    let mut end = 1;
    for _ in 0..20 {
        end = sample(&mut host, &peer, id, end, ms(1));
    }
    let info = host.tcp.info(id).unwrap();
    assert_eq!(info.rto, s(1).saturating_add(info.srtt));
}

#[test]
fn the_longest_timeout_is_the_configured_one() {
    let config = Config { max_rto: s(4), user_timeout: s(1000), ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    let (_, id) = wide(&mut host);
    host.write(id, b"lost");
    let times: Vec<u64> = host.pass(s(60)).iter().map(|(at, _)| at.as_secs()).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= 4), "{times:?}");
}

#[test]
fn only_the_first_segment_is_sent_after_a_timeout() {
    let mut host = Host::default();
    let (peer, id) = wide(&mut host);
    host.write(id, &pattern(10 * 1460));
    assert_eq!(payload(&host.output()), 14_600);
    let again = host.sent_within(ms(250));
    assert_eq!(again.len(), 1, "the window is one segment: {again:?}");
    assert_eq!((peer.seq(&again[0]), again[0].payload.len()), (1, 1460));
    let info = host.tcp.info(id).unwrap();
    assert_eq!((info.cwnd, info.ssthresh), (1460, 10_220));
}

#[test]
fn everything_lost_is_sent_again_and_arrives_once() {
    let (mut a, mut b) = (Host::default(), Host::at([10, 0, 0, 2], Config::default(), Sizes::default()));
    let listener = b.listen(80);
    let to_b = a.connect(core::net::SocketAddr::new(THERE, 80)).unwrap();
    exchange(&mut a, &mut b);
    let to_a = b.accept(listener).unwrap();
    let data = pattern(30_000);
    a.write(to_b, &data);
    a.output();
    let mut read = Vec::new();
    let whole = run_until(&mut a, &mut b, s(60), |_, b| {
        read.extend(b.read(to_a));
        read.len() == 30_000
    });
    assert!(whole, "{} bytes came", read.len());
    assert_eq!(read, data);
}

#[test]
fn a_peer_that_never_answers_is_given_up_after_the_user_timeout() {
    let config = Config { user_timeout: s(30), ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    let (_, id) = wide(&mut host);
    host.write(id, b"anybody?");
    host.pass(s(29));
    assert_eq!(host.tcp.state(id), Some(State::Established));
    host.pass(s(40));
    assert_eq!(host.read_some(id, 1), Poll::Ready(Err(Error::TimedOut)));
    assert_eq!(host.tcp.stats().blocks_in_use, 0);
}

#[test]
fn the_user_timeout_of_a_connection_is_its_own() {
    let mut host = Host::default();
    let (peer, id) = wide(&mut host);
    host.tcp.set_user_timeout(id, Some(s(5)));
    host.write(id, b"anybody?");
    host.pass(s(4));
    host.answer(&peer.segment(ACK, 1, 9));
    host.pass(s(100));
    assert_eq!(host.tcp.state(id), Some(State::Established), "nothing is outstanding");
    host.write(id, b"anybody?");
    host.pass(s(20));
    assert_eq!(host.try_write(id, b"x"), Poll::Ready(Err(Error::TimedOut)));
}

// --- congestion ------------------------------------------------------------------------------------------------------

#[test]
fn a_connection_starts_with_ten_segments() {
    // RFC 6928.
    let mut host = Host::default();
    let (_, id) = wide(&mut host);
    host.write(id, &pattern(100_000));
    let sent = host.output();
    assert_eq!((sent.len(), payload(&sent)), (10, 14_600));
}

#[test]
fn a_lost_syn_starts_with_one_segment() {
    // RFC 5681 §3.1.
    let mut host = Host::default();
    let id = host.connect(core::net::SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    assert_eq!(host.sent_within(s(1)).len(), 1, "the SYN again");
    host.answer(&peer.segment(SYN | ACK, 0, 1).options(&[2, 4, 5, 180]));
    host.write(id, &pattern(100_000));
    assert_eq!(payload(&host.output()), 1460);
}

#[test]
fn slow_start_doubles_each_round_trip() {
    let mut host = Host::default();
    let (peer, id) = wide(&mut host);
    host.write(id, &pattern(250_000));
    let mut flights = Vec::new();
    let mut sent = host.output();
    for _ in 0..4 {
        flights.push(sent.len());
        let round = core::mem::take(&mut sent);
        host.pass(ms(50));
        for segment in round {
            sent.extend(host.answer(&peer.segment(ACK, 1, peer.seq(&segment) + segment.len())));
        }
    }
    assert_eq!(flights, [10, 20, 40, 80]);
}

/// Ten segments in flight of which the first `lost` are lost; the peer answers each of the others at once.
fn ten_in_flight(host: &mut Host) -> (Peer, ConnectionId) {
    let (peer, id) = wide(host);
    host.write(id, &pattern(200_000));
    assert_eq!(host.output().len(), 10);
    host.pass(ms(50));
    (peer, id)
}

#[test]
fn two_duplicates_let_new_segments_out() {
    // RFC 3042.
    let mut host = Host::default();
    let (peer, _) = ten_in_flight(&mut host);
    for expected in 0..2 {
        let sent = host.answer(&peer.segment(ACK, 1, 1));
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert_eq!(peer.seq(&sent[0]), 1 + (10 + expected) * 1460);
    }
}

#[test]
fn the_third_duplicate_sends_the_first_segment_again() {
    let mut host = Host::default();
    let (peer, id) = ten_in_flight(&mut host);
    host.answer(&peer.segment(ACK, 1, 1));
    host.answer(&peer.segment(ACK, 1, 1));
    let sent = host.answer(&peer.segment(ACK, 1, 1));
    assert_eq!((peer.seq(&sent[0]), sent[0].payload.len()), (1, 1460), "{sent:?}");
    // Twelve segments were in flight, but RFC 5681 §3.2 (2) does not count those that limited transmit let out.
    // CUBIC keeps seven tenths (RFC 9438 §4.6).
    assert_eq!(host.tcp.info(id).unwrap().ssthresh, 7 * 1460);
    assert_eq!(host.tcp.stats().timeouts, 0);
}

#[test]
fn segments_that_only_change_the_window_are_no_duplicates() {
    let mut host = Host::default();
    let (mut peer, _) = ten_in_flight(&mut host);
    for window in 1..6 {
        peer.window = 60_000 + window;
        let sent = host.answer(&peer.segment(ACK, 1, 1));
        assert!(sent.iter().all(|segment| peer.seq(segment) != 1), "{sent:?}");
    }
}

#[test]
fn data_of_the_peer_is_no_duplicate() {
    let mut host = Host::default();
    let (peer, _) = ten_in_flight(&mut host);
    for place in 0..6 {
        let sent = host.answer(&peer.data(1 + place, 1, b"x"));
        assert!(sent.iter().all(|segment| peer.seq(segment) != 1), "{sent:?}");
    }
}

#[test]
fn a_partial_acknowledgement_sends_the_next_hole_again_at_once() {
    // RFC 6582: two of ten are lost, the first and the fifth.
    let mut host = Host::default();
    let (peer, id) = ten_in_flight(&mut host);
    for _ in 0..8 {
        host.answer(&peer.segment(ACK, 1, 1));
    }
    let sent = host.answer(&peer.segment(ACK, 1, 1 + 4 * 1460));
    assert!(sent.iter().any(|segment| peer.seq(segment) == 1 + 4 * 1460), "{sent:?}");
    let recovered = host.answer(&peer.segment(ACK, 1, 1 + 10 * 1460));
    let info = host.tcp.info(id).unwrap();
    assert!(info.cwnd <= 9 * 1460, "{info:?}");
    assert!(recovered.len() <= 5, "no burst after recovery: {recovered:?}");
    assert_eq!(host.tcp.stats().timeouts, 0);
}

#[test]
fn recovery_repairs_many_holes_and_the_stream_arrives_once() {
    let (mut a, mut b) = (Host::default(), Host::at([10, 0, 0, 2], Config::default(), Sizes::default()));
    let listener = b.listen(80);
    let to_b = a.connect(core::net::SocketAddr::new(THERE, 80)).unwrap();
    exchange(&mut a, &mut b);
    let to_a = b.accept(listener).unwrap();
    let data = pattern(200_000);
    a.write(to_b, &data);
    let mut read = Vec::new();
    let mut count = 0;
    for _ in 0..2000 {
        for segment in a.output() {
            count += 1;
            // Every seventh segment is lost the first time it comes by.
            if segment.payload.is_empty() || count % 7 != 0 {
                let _ = b.input(&segment);
            }
        }
        read.extend(b.read(to_a));
        for segment in b.output() {
            let _ = a.input(&segment);
        }
        for host in [&mut a, &mut b] {
            host.now += ms(10);
            host.tcp.handle_timeout(host.now);
        }
        if read.len() == data.len() {
            break;
        }
    }
    assert!(read == data, "{} bytes came", read.len());
}

#[test]
fn a_window_that_the_application_does_not_use_does_not_grow() {
    // RFC 7661 §4.3.
    let mut host = Host::default();
    let (peer, id) = wide(&mut host);
    let mut end = 1;
    for _ in 0..50 {
        end = sample(&mut host, &peer, id, end, ms(10));
    }
    assert_eq!(host.tcp.info(id).unwrap().cwnd, 14_600);
}

#[test]
fn an_idle_connection_does_not_burst() {
    // RFC 5681 §4.1.
    let mut host = Host::default();
    let (peer, id) = wide(&mut host);
    host.write(id, &pattern(250_000));
    let mut end = 1;
    for _ in 0..6 {
        let sent = host.output();
        host.pass(ms(50));
        for segment in sent {
            end = end.max(peer.seq(&segment) + segment.len());
            let _ = host.input(&peer.segment(ACK, 1, peer.seq(&segment) + segment.len()));
        }
    }
    for segment in host.output() {
        end = end.max(peer.seq(&segment) + segment.len());
    }
    host.answer(&peer.segment(ACK, 1, end));
    assert!(host.tcp.info(id).unwrap().cwnd > 40 * 1460);
    host.pass(s(30));
    host.write(id, &pattern(250_000));
    assert!(host.output().len() <= 10);
}

#[test]
fn a_full_device_loses_nothing() {
    let mut host = Host::default();
    let (_, id) = wide(&mut host);
    host.write(id, &pattern(5 * 1460));
    host.ip.capacity = 2;
    assert!(host.tcp.poll_transmit(host.now, &mut host.ip, 100).is_err());
    assert_eq!(host.ip.sent.len(), 2);
    assert!(host.tcp.wants_transmit());
    host.ip.capacity = usize::MAX;
    let sent = host.output();
    assert_eq!(payload(&sent), 5 * 1460);
}

#[test]
fn an_unreachable_peer_does_not_stop_the_others() {
    let mut host = Host::default();
    let (_, id) = wide(&mut host);
    let nowhere = core::net::IpAddr::from([10, 0, 9, 9]);
    host.ip.unreachable.push((nowhere, mirage_protocols::SendError::NoRoute));
    let lost = host.connect(core::net::SocketAddr::new(nowhere, 80)).unwrap();
    host.write(id, b"hello");
    let sent = host.output();
    assert_eq!(payload(&sent), 5);
    host.pass(s(200));
    assert!(matches!(host.connected(lost), Poll::Ready(Err(_))));
}

#[test]
fn a_smaller_path_makes_smaller_segments() {
    let mut host = Host::default();
    host.ip.mtu = 600;
    let (_, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(3000));
    let sent = host.output();
    assert!(sent.iter().all(|segment| segment.payload.len() <= 580), "{sent:?}");
    assert_eq!(payload(&sent), 3000);
}

#[test]
fn a_device_that_cuts_gets_large_segments_and_partial_checksums() {
    use mirage_net::{Capabilities, ChecksumOffload, SegmentationOffload};
    let mut host = Host::default();
    host.ip.capabilities = Capabilities {
        checksum: ChecksumOffload::TCP_V4,
        segmentation: SegmentationOffload::TCP_V4,
        max_large_frame: 65_535,
    };
    let (_, id) = wide(&mut host);
    let data = pattern(14_600);
    host.write(id, &data);
    while host.tcp.poll_transmit(host.now, &mut host.ip, 100).unwrap() {}
    let packets: Vec<_> = host.ip.sent.iter().map(|sent| sent.packet).collect();
    assert!(packets.len() <= 2, "{packets:?}");
    assert_eq!(packets[0].segment_size.map(|size| size.get()), Some(1460));
    assert!(packets.iter().all(|packet| packet.checksum.is_some()));
    let bytes: Vec<u8> = host.output().into_iter().flat_map(|segment| segment.payload).collect();
    assert_eq!(bytes, data);
}

/// The device repeats the header's options in each segment that it cuts: they have to fit.
#[test]
fn a_device_that_cuts_is_told_how_much_fits_beside_selective_acknowledgments() {
    let mut host = Host::default();
    host.ip.capabilities = mirage_net::Capabilities {
        checksum: mirage_net::ChecksumOffload::TCP_V4,
        segmentation: mirage_net::SegmentationOffload::TCP_V4,
        max_large_frame: 65_535,
    };
    let (peer, id) = accepted(&mut host, Handshake { scale: Some(7), selective: true, ..Handshake::default() });
    host.answer(&peer.data(1461, 1, &pattern(100)));
    host.write(id, &pattern(10_000));
    let _ = host.tcp.poll_transmit(host.now, &mut host.ip, 16).unwrap();
    let sent = &host.ip.sent[0];
    let header = usize::from(sent.bytes[12] >> 4) * 4;
    assert!(header > 20 && sent.bytes.len() > 3000, "a large segment with blocks");
    let size = usize::from(sent.packet.segment_size.expect("it is cut").get());
    assert!(size + header <= 1480, "{size} bytes behind a header of {header}");
}
