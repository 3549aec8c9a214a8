//! Windows: closed ones, silly ones, shrinking ones; Nagle's algorithm and delayed acknowledgements.

mod support;

use core::task::Poll;

use support::*;

fn payload(sent: &[Segment]) -> usize {
    sent.iter().map(|segment| segment.payload.len()).sum()
}

// --- what the peer's window lets us send ---------------------------------------------------------------------------

#[test]
fn no_more_is_sent_than_the_peer_takes() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { window: 5000, ..Handshake::default() });
    host.write(id, &pattern(20_000));
    let sent = host.output();
    let last = sent.iter().map(|segment| peer.seq(segment) + segment.len()).max().unwrap();
    assert!(last <= 5001, "{sent:?}");
    assert!(payload(&sent) >= 3 * 1460, "{sent:?}");
}

#[test]
fn a_scaled_window_counts_scaled() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { scale: Some(3), window: 1000, ..Handshake::default() });
    host.write(id, &pattern(20_000));
    let sent = host.output();
    let bytes = payload(&sent);
    assert!((5840..=8000).contains(&bytes), "{bytes}: 8 times 1000, in whole segments");
    let _ = peer;
}

/// RFC 9293 §3.10.7.4: the window is that of the segment with the highest number, so what comes again says nothing of it; what
/// follows that does, be it like it in all but its number and its bytes.
#[test]
fn a_segment_behind_those_that_say_nothing_of_the_window_says_something_of_it() {
    let mut host = Host::default();
    let (mut peer, id) = accepted(&mut host, Handshake { scale: Some(0), window: 20_000, ..Handshake::default() });
    host.input(&peer.segment(ACK, 1 + 3 * 1460, 1)).unwrap();
    peer.window = 3_000;
    for (number, window) in [(0, 20_000), (1, 20_000), (2, 20_000), (3, 3_000)] {
        host.input(&peer.data(1 + number * 1460, 1, &pattern(1460))).unwrap();
        assert_eq!(host.tcp.info(id).unwrap().send_window, window, "segment {number}");
    }
}

#[test]
fn the_window_in_a_syn_is_never_scaled() {
    let mut host = Host::default();
    host.listen(80);
    let mut peer = Peer::new(80, 4000);
    peer.window = 2000;
    let handshake = Handshake { scale: Some(10), ..Handshake::default() };
    let syn_ack = host.answer(&peer.segment(SYN, 0, 0).options(&handshake.options())).remove(0);
    assert!(syn_ack.option(3).is_some(), "scaling was offered and is answered");
    assert!(syn_ack.window > 1000);
}

#[test]
fn scaling_is_not_answered_to_who_did_not_offer_it() {
    let mut host = Host::default();
    host.listen(80);
    let syn_ack = host.answer(&Peer::new(80, 4000).segment(SYN, 0, 0).options(&[2, 4, 5, 180])).remove(0);
    assert_eq!(syn_ack.option(3), None);
}

#[test]
fn a_closed_window_is_probed_until_it_opens() {
    let mut host = Host::default();
    let (mut peer, id) = accepted(&mut host, Handshake { window: 0, ..Handshake::default() });
    host.write(id, &pattern(3000));
    assert_eq!(host.output(), [], "the window is closed");
    let mut probes = 0;
    for _ in 0..30 {
        for probe in host.sent_within(s(1)) {
            assert!(probe.payload.len() <= 1, "{probe:?}");
            probes += 1;
            host.answer(&peer.segment(ACK, 1, 1));
        }
    }
    assert!((2..=12).contains(&probes), "{probes} probes in 30 s");
    peer.window = 65_535;
    let sent = host.answer(&peer.segment(ACK, 1, 1));
    assert_eq!(payload(&sent), 3000);
}

#[test]
fn probes_come_less_and_less_often_and_a_living_peer_is_not_given_up() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { window: 0, ..Handshake::default() });
    host.write(id, &pattern(100));
    host.output();
    let mut times = Vec::new();
    for second in 0..240_u64 {
        for _ in host.sent_within(s(1)) {
            times.push(second);
            host.answer(&peer.segment(ACK, 1, 1));
        }
    }
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.len() >= 3, "{times:?}");
    assert!(gaps.windows(2).all(|pair| pair[1] + 1 >= pair[0]), "{times:?}");
    assert!(gaps.iter().all(|gap| *gap <= 61), "{times:?}");
    assert_eq!(host.tcp.state(id), Some(State::Established));
}

#[test]
fn a_lost_window_update_does_not_stall() {
    let mut host = Host::default();
    let (mut peer, id) = accepted(&mut host, Handshake { window: 2000, ..Handshake::default() });
    host.write(id, &pattern(10_000));
    let sent = host.output();
    let end = 1 + payload(&sent) as u32;
    peer.window = 0;
    host.answer(&peer.segment(ACK, 1, end));
    // The update that opens the window is lost; a probe brings it back.
    peer.window = 65_535;
    let probe = host.sent_within(s(5));
    assert!(!probe.is_empty(), "a probe is sent");
    let accepted = end + probe.iter().map(|probe| peer.seq(probe) + probe.len()).max().unwrap().saturating_sub(end);
    let sent = host.answer(&peer.segment(ACK, 1, accepted));
    assert!(payload(&sent) > 1460);
}

#[test]
fn a_probe_byte_that_the_peer_takes_is_not_sent_twice() {
    let mut host = Host::default();
    let (mut peer, id) = accepted(&mut host, Handshake { window: 0, ..Handshake::default() });
    let data = pattern(1000);
    host.write(id, &data);
    let probe = host.sent_within(s(3)).remove(0);
    peer.window = 65_535;
    let taken = probe.payload.len() as u32;
    let sent = host.answer(&peer.segment(ACK, 1, 1 + taken));
    let rest: Vec<u8> = sent.iter().flat_map(|segment| segment.payload.clone()).collect();
    assert_eq!(rest, data[taken as usize..]);
}

#[test]
fn a_small_opening_of_the_window_is_not_filled_with_a_silly_segment() {
    // RFC 1122 §4.2.3.4, sender's side.
    let mut host = Host::default();
    let (mut peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(60_000));
    let flight = payload(&host.output()) as u32;
    peer.window = 10;
    let sent = host.answer(&peer.segment(ACK, 1, 1 + flight));
    assert_eq!(sent, [], "not at once");
    peer.window = 1460;
    let sent = host.answer(&peer.segment(ACK, 1, 1 + flight));
    assert_eq!(payload(&sent), 1460);
}

#[test]
fn a_small_window_that_stays_is_used_at_last() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { window: 100, ..Handshake::default() });
    let data = pattern(1000);
    host.write(id, &data);
    let mut received: Vec<u8> = Vec::new();
    let mut sent = host.output();
    for _ in 0..200 {
        for segment in sent {
            let place = peer.seq(&segment) as usize - 1;
            if place == received.len() {
                received.extend(&segment.payload);
            }
            assert!(peer.seq(&segment) + segment.len() <= 101 + received.len() as u32);
        }
        sent = host.answer(&peer.segment(ACK, 1, 1 + received.len() as u32));
        sent.extend(host.sent_within(ms(300)));
    }
    assert_eq!(received, data);
}

#[test]
fn an_old_segment_does_not_bring_an_old_window_back() {
    // RFC 9293 §3.10.7.4: SND.WL1 and SND.WL2.
    let mut host = Host::default();
    let (mut peer, id) = accepted(&mut host, Handshake { window: 3000, ..Handshake::default() });
    host.answer(&peer.data(1, 1, b"ten bytes!"));
    peer.window = 0;
    host.answer(&peer.data(11, 1, b"and a half"));
    peer.window = 3000;
    let _ = host.input(&peer.data(1, 1, b"ten bytes!"));
    host.write(id, &pattern(2000));
    assert_eq!(payload(&host.output()), 0, "the window is closed since");
}

// --- what our window lets the peer send ----------------------------------------------------------------------------

#[test]
fn our_window_closes_when_nobody_reads_and_opens_again() {
    let config = Config { receive_window: 16_384, ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    let (peer, id) = accepted(&mut host, Handshake::default());
    let mut seq = 1;
    let mut window = 16_384_u32;
    let data = pattern(1000);
    while window > 0 {
        let chunk = window.min(1000);
        host.answer(&peer.data(seq, 1, &data[..chunk as usize]));
        let ack = host.sent_within(ms(600));
        seq += chunk;
        if let Some(ack) = ack.last() {
            window = u32::from(ack.window).saturating_sub(seq - peer.ack(ack));
        } else {
            window -= chunk;
        }
        assert!(seq < 100_000, "the window closes");
    }
    assert!(seq > 8000, "{seq}");
    // Beyond the window nothing is taken.
    let sent = host.answer(&peer.data(seq, 1, b"too much"));
    assert!(sent.iter().all(|segment| peer.ack(segment) == seq && segment.window == 0), "{sent:?}");
    assert_eq!(host.read(id).len() as u32, seq - 1);
    let sent = host.output();
    assert!(sent.iter().any(|segment| segment.window > 0), "the peer is told that the window is open: {sent:?}");
}

#[test]
fn our_window_does_not_open_by_a_silly_bit() {
    // RFC 1122 §4.2.3.3: at least one segment or half of the buffer.
    let config = Config { receive_window: 16_384, ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    let (peer, id) = accepted(&mut host, Handshake::default());
    let data = pattern(16_384);
    let mut seq = 1;
    for chunk in data.chunks(1024) {
        host.answer(&peer.data(seq, 1, chunk));
        host.pass(ms(600));
        seq += chunk.len() as u32;
    }
    for _ in 0..100 {
        let Poll::Ready(Ok(bytes)) = host.read_some(id, 10) else { panic!("there is something to read") };
        assert_eq!(bytes.len(), 10);
        for update in host.output() {
            assert!(update.window == 0 || update.window >= 1000, "{update:?}");
        }
    }
}

#[test]
fn an_acknowledgement_offers_no_silly_window() {
    let config = Config { receive_window: 16_384, ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    let (peer, id) = accepted(&mut host, Handshake::default());
    let mut seq = 1;
    for chunk in pattern(16_384).chunks(1024) {
        host.answer(&peer.data(seq, 1, chunk));
        host.pass(ms(600));
        seq += chunk.len() as u32;
    }
    let _ = host.read_some(id, 100);
    let sent = host.answer(&peer.data(seq, 1, b"p"));
    assert!(!sent.is_empty() && sent.iter().all(|ack| ack.window == 0), "{sent:?}");
}

#[test]
fn our_window_never_moves_back() {
    let mut host =
        Host::new(Config { receive_window: 8192, ..Config::default() }, Sizes { blocks: 8, ..Sizes::default() });
    let (peer, id) = accepted(&mut host, Handshake::default());
    let mut edge = 0;
    let mut seq = 1;
    for round in 0..200 {
        let sent = host.answer(&peer.data(seq, 1, &pattern(200)));
        for segment in sent.into_iter().chain(host.sent_within(ms(50))) {
            let right = peer.ack(&segment) + u32::from(segment.window);
            assert!(right >= edge, "from {edge} to {right}");
            edge = right;
            seq = peer.ack(&segment);
        }
        if round % 7 == 0 {
            let _ = host.read_some(id, 700);
        }
    }
}

#[test]
fn everything_inside_the_window_we_offered_finds_room() {
    let mut host = Host::new(Config::default(), Sizes { blocks: 8, ..Sizes::default() });
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    let syn_ack = host.answer(&peer.segment(SYN, 0, 0)).remove(0);
    peer.irs = syn_ack.seq;
    let window = u32::from(syn_ack.window);
    host.answer(&peer.segment(ACK, 1, 1));
    let id = host.accept(listener).unwrap();
    let data = pattern(window as usize);
    let mut seq = 1;
    for chunk in data.chunks(500) {
        host.answer(&peer.data(seq, 1, chunk));
        seq += chunk.len() as u32;
    }
    assert_eq!(host.read(id), data);
}

// --- Nagle's algorithm ----------------------------------------------------------------------------------------------

#[test]
fn small_writes_are_collected_while_data_is_in_flight() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, b"first");
    assert_eq!(payload(&host.output()), 5);
    for _ in 0..10 {
        host.write(id, b"more");
        assert_eq!(host.output(), []);
    }
    let sent = host.answer(&peer.segment(ACK, 1, 6));
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].payload, b"more".repeat(10));
}

#[test]
fn a_full_segment_is_sent_whatever_is_in_flight() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.write(id, b"first");
    host.output();
    host.write(id, &pattern(1460));
    assert_eq!(payload(&host.output()), 1460);
}

#[test]
fn without_delay_every_write_goes_out_at_once() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_nodelay(id, true);
    for _ in 0..5 {
        host.write(id, b"now");
        assert_eq!(payload(&host.output()), 3);
    }
    host.tcp.set_nodelay(id, false);
    host.write(id, b"later");
    assert_eq!(payload(&host.output()), 0);
    host.tcp.set_nodelay(id, true);
    assert_eq!(payload(&host.output()), 5, "turning it on releases what was held back");
}

#[test]
fn the_end_is_not_held_back() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.write(id, b"first");
    host.output();
    host.write(id, b"last");
    host.tcp.close(id);
    let sent = host.output();
    assert_eq!(payload(&sent), 4);
    assert!(sent.last().unwrap().has(FIN));
}

#[test]
fn the_last_segment_of_a_burst_is_pushed() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(4000));
    let sent = host.output();
    assert!(sent.last().unwrap().has(PSH), "{sent:?}");
}

// --- delayed acknowledgements ---------------------------------------------------------------------------------------

#[test]
fn one_segment_is_acknowledged_late() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    assert_eq!(host.answer(&peer.data(1, 1, &pattern(100))), []);
    let sent = host.pass(s(1));
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, ms(40));
    assert_eq!(peer.ack(&sent[0].1), 101);
    assert_eq!(host.read(id).len(), 100);
}

#[test]
fn two_full_segments_are_acknowledged_at_once() {
    // RFC 9293 §3.8.6.3: "an ACK SHOULD be generated for at least every second full-sized segment".
    let mut host = Host::default();
    let (peer, _) = accepted(&mut host, Handshake::default());
    let data = pattern(1460);
    let mut acknowledgements = host.answer(&peer.data(1, 1, &data));
    acknowledgements.extend(host.answer(&peer.data(1461, 1, &data)));
    assert!(acknowledgements.iter().any(|ack| peer.ack(ack) == 2921), "{acknowledgements:?}");
}

#[test]
fn an_acknowledgement_rides_on_data() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.data(1, 1, b"question"));
    host.write(id, b"answer");
    let sent = host.output();
    assert_eq!(sent.len(), 1);
    assert_eq!((peer.ack(&sent[0]), &sent[0].payload[..]), (9, &b"answer"[..]));
    assert_eq!(host.sent_within(ms(100)), [], "and is not sent again");
}

#[test]
fn segments_out_of_order_are_acknowledged_at_once() {
    // RFC 5681 §4.2.
    let mut host = Host::default();
    let (peer, _) = accepted(&mut host, Handshake::default());
    let sent = host.answer(&peer.data(1001, 1, &pattern(100)));
    assert!(sent.len() == 1 && peer.ack(&sent[0]) == 1, "{sent:?}");
    let sent = host.answer(&peer.data(1101, 1, &pattern(100)));
    assert!(sent.len() == 1 && peer.ack(&sent[0]) == 1, "{sent:?}");
    let sent = host.answer(&peer.data(1, 1, &pattern(1000)));
    assert!(sent.len() == 1 && peer.ack(&sent[0]) == 1201, "filling the hole too: {sent:?}");
}

#[test]
fn what_was_received_before_is_acknowledged_at_once() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.data(1, 1, &pattern(1000)));
    host.pass(s(1));
    let sent = host.answer(&peer.data(1, 1, &pattern(1000)));
    assert!(sent.len() == 1 && peer.ack(&sent[0]) == 1001, "{sent:?}");
    assert_eq!(host.read(id).len(), 1000);
}

#[test]
fn a_pure_acknowledgement_is_not_acknowledged() {
    let mut host = Host::default();
    let (peer, _) = accepted(&mut host, Handshake::default());
    assert_eq!(host.answer(&peer.segment(ACK, 1, 1)), []);
    assert_eq!(host.sent_within(s(1)), []);
}

#[test]
fn segments_out_of_order_that_come_in_one_batch_are_acknowledged_each() {
    // RFC 5681 §4.2: the peer waits for three duplicates before it sends the missing segment again.
    let mut host = Host::default();
    let (peer, _) = accepted(&mut host, Handshake::default());
    for number in 1..4 {
        host.input(&peer.data(1 + 100 * number, 1, &[0; 100])).unwrap();
    }
    let sent = host.output();
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(sent.iter().all(|ack| ack.is(ACK) && peer.ack(ack) == 1), "{sent:?}");
    let sent = host.answer(&peer.data(1, 1, &[0; 100]));
    assert_eq!(sent.iter().map(|ack| peer.ack(ack)).collect::<Vec<_>>(), [401], "one that ends the hole");
}
