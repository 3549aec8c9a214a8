//! Explicit congestion notification (RFC 3168).

mod support;

use core::net::SocketAddr;

use support::*;

/// A connection through a listener whose peer asks for marks.
fn accepted_marked(host: &mut Host) -> (Peer, ConnectionId) {
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    let syn = peer.segment(SYN | ECE | CWR, 0, 0).options(&[2, 4, 5, 180, 1, 3, 3, 7]);
    let syn_ack = host.answer(&syn).remove(0);
    assert!(syn_ack.is(SYN | ACK | ECE), "{syn_ack:?}");
    assert_eq!(syn_ack.ecn, Ecn::NotCapable, "no SYN-ACK may be marked");
    peer.irs = syn_ack.seq;
    host.pass(ms(100));
    host.answer(&peer.segment(ACK, 1, 1));
    (peer, host.accept(listener).unwrap())
}

fn asking() -> Host {
    Host::new(Config { ecn: Marking::Ask, ..Config::default() }, Sizes::default())
}

/// A connection that we open and whose peer answers with these flags.
fn opened(host: &mut Host, answer: u8) -> (Peer, ConnectionId) {
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let options = [2, 4, 5, 180];
    host.answer(&peer.segment(SYN | ACK | answer, 0, 1).options(&options));
    (peer, id)
}

fn marked(host: &Host, id: ConnectionId) -> bool {
    host.tcp.tcp_info(id, host.now).unwrap().ecn
}

// --- agreeing --------------------------------------------------------------------------------------------------------

#[test]
fn a_peer_that_asks_is_answered_and_one_that_does_not_is_not() {
    let mut host = Host::default();
    let (_, id) = accepted_marked(&mut host);
    assert!(marked(&host, id));
    for flags in [0, ECE, CWR] {
        let peer = Peer::new(80, 5000 + u16::from(flags));
        let syn_ack = host.answer(&peer.segment(SYN | flags, 0, 0)).remove(0);
        assert!(syn_ack.is(SYN | ACK), "{flags}: {syn_ack:?}");
    }
}

#[test]
fn a_machine_that_wants_no_marks_answers_nobody() {
    let mut host = Host::new(Config { ecn: Marking::Never, ..Config::default() }, Sizes::default());
    host.listen(80);
    let syn_ack = host.answer(&Peer::new(80, 4000).segment(SYN | ECE | CWR, 0, 0)).remove(0);
    assert!(syn_ack.is(SYN | ACK), "{syn_ack:?}");
}

#[test]
fn a_syn_that_may_be_marked_does_not_ask() {
    let mut host = Host::default();
    host.listen(80);
    let syn = Peer::new(80, 4000).segment(SYN | ECE | CWR, 0, 0).ecn(Ecn::Capable0);
    assert!(host.answer(&syn)[0].is(SYN | ACK));
}

#[test]
fn we_do_not_ask_unless_told_to() {
    let mut host = Host::default();
    host.connect(SocketAddr::new(THERE, 80)).unwrap();
    assert!(host.output()[0].is(SYN));
    let mut host = asking();
    host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    assert!(syn.is(SYN | ECE | CWR), "{syn:?}");
    assert_eq!(syn.ecn, Ecn::NotCapable);
}

#[test]
fn only_the_right_answer_agrees() {
    for (answer, agreed) in [(ECE, true), (0, false), (ECE | CWR, false), (CWR, false)] {
        let mut host = asking();
        let (_, id) = opened(&mut host, answer);
        assert_eq!(marked(&host, id), agreed, "{answer}");
    }
    let mut host = Host::default();
    let (_, id) = opened(&mut host, ECE);
    assert!(!marked(&host, id), "we had not asked");
}

#[test]
fn a_syn_that_is_sent_again_asks_no_more() {
    // RFC 3168 §6.1.1.1: something on the way may drop SYNs that ask.
    let mut host = asking();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syns = host.sent_within(ms(1500));
    assert!(syns[0].is(SYN | ECE | CWR) && syns[1].is(SYN), "{syns:?}");
    let mut peer = Peer::new(syns[0].from.port(), 80);
    peer.irs = syns[0].seq;
    host.answer(&peer.segment(SYN | ACK | ECE, 0, 1));
    assert!(!marked(&host, id));
}

// --- what may be marked ----------------------------------------------------------------------------------------------

#[test]
fn new_data_may_be_marked_and_nothing_else() {
    let mut host = Host::default();
    let (peer, id) = accepted_marked(&mut host);
    host.write(id, &pattern(3000));
    let sent = host.output();
    assert!(sent.iter().all(|segment| segment.ecn == Ecn::Capable0), "data");
    let ack = host.answer(&peer.data(1, 1, &pattern(2920)));
    assert!(ack.iter().all(|segment| segment.payload.is_empty() && segment.ecn == Ecn::NotCapable), "{ack:?}");
    let again = host.sent_within(s(1));
    assert!(!again.is_empty() && again.iter().all(|segment| segment.ecn == Ecn::NotCapable), "what is sent again");
}

#[test]
fn nothing_may_be_marked_without_agreement() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(3000));
    assert!(host.output().iter().all(|segment| segment.ecn == Ecn::NotCapable));
}

// --- the receiver ----------------------------------------------------------------------------------------------------

#[test]
fn a_mark_is_echoed_until_the_peer_has_heard() {
    let mut host = Host::default();
    let (peer, id) = accepted_marked(&mut host);
    let ack = host.answer(&peer.data(1, 1, b"a").ecn(Ecn::Congested));
    assert!(ack[0].is(ACK | ECE), "at once: {ack:?}");
    host.input(&peer.data(2, 1, b"b").ecn(Ecn::Capable0)).unwrap();
    host.write(id, b"answer");
    assert!(host.output()[0].has(ECE), "data echoes it, too");
    let ack = host.answer(&peer.segment(ACK | CWR, 3, 7).data(&pattern(2920)).ecn(Ecn::Capable0));
    assert!(ack[0].is(ACK), "the peer has heard: {ack:?}");
}

#[test]
fn a_mark_on_the_segment_that_says_the_peer_has_heard_counts_anew() {
    let mut host = Host::default();
    let (peer, _) = accepted_marked(&mut host);
    host.answer(&peer.data(1, 1, b"a").ecn(Ecn::Congested));
    let ack = host.answer(&peer.segment(ACK | CWR, 2, 1).data(b"b").ecn(Ecn::Congested));
    assert!(ack[0].is(ACK | ECE), "{ack:?}");
}

#[test]
fn a_mark_is_not_echoed_without_agreement() {
    let mut host = Host::default();
    let (peer, _) = accepted(&mut host, Handshake::default());
    let ack = host.answer(&peer.data(1, 1, &pattern(2920)).ecn(Ecn::Congested));
    assert!(ack[0].is(ACK), "{ack:?}");
}

#[test]
fn it_is_noted_that_the_peer_may_be_marked() {
    let mut host = Host::default();
    let (peer, id) = accepted_marked(&mut host);
    host.answer(&peer.data(1, 1, b"a"));
    assert!(!host.tcp.tcp_info(id, host.now).unwrap().ecn_seen);
    host.answer(&peer.data(2, 1, b"b").ecn(Ecn::Capable0));
    assert!(host.tcp.tcp_info(id, host.now).unwrap().ecn_seen);
}

// --- the sender ------------------------------------------------------------------------------------------------------

#[test]
fn an_echo_reduces_the_window_once_for_what_is_under_way() {
    let mut host = Host::default();
    let (peer, id) = accepted_marked(&mut host);
    host.write(id, &pattern(40 * 1460));
    let sent = host.output().len() as u32;
    assert_eq!(sent, 10);
    host.pass(ms(50));
    let before = host.tcp.tcp_info(id, host.now).unwrap().snd_cwnd;
    for segment in 1..=sent {
        host.input(&peer.segment(ACK | ECE, 1, 1 + segment * 1460)).unwrap();
        let info = host.tcp.tcp_info(id, host.now).unwrap();
        assert!(info.snd_cwnd < before && info.snd_cwnd >= before / 2, "{} of {before}", info.snd_cwnd);
        assert_eq!(info.ca_state, Recovering::Reduced);
        assert_eq!((info.lost, info.total_retrans), (0, 0));
    }
}

#[test]
fn the_peer_is_told_of_a_reduction_once_by_new_data() {
    let mut host = Host::default();
    let (peer, id) = accepted_marked(&mut host);
    host.write(id, &pattern(40 * 1460));
    host.output();
    host.pass(ms(50));
    let mut sent = Vec::new();
    for segment in 1..=10 {
        sent.extend(host.answer(&peer.segment(ACK | ECE, 1, 1 + segment * 1460)));
    }
    let told: Vec<bool> = sent.iter().map(|segment| segment.has(CWR)).collect();
    assert!(told[0] && told[1..].iter().all(|told| !told), "{told:?}");
}

#[test]
fn an_echo_behind_the_reduced_window_reduces_it_again() {
    let mut host = Host::default();
    let (peer, id) = accepted_marked(&mut host);
    host.write(id, &pattern(100 * 1460));
    host.output();
    host.pass(ms(50));
    host.answer(&peer.segment(ACK | ECE, 1, 1 + 10 * 1460));
    let once = host.tcp.tcp_info(id, host.now).unwrap().snd_cwnd;
    host.pass(ms(50));
    // Acknowledged is only what was under way: the peer cannot have heard.
    host.answer(&peer.segment(ACK | ECE, 1, 1 + 10 * 1460));
    assert_eq!(host.tcp.tcp_info(id, host.now).unwrap().snd_cwnd, once);
    host.answer(&peer.segment(ACK, 1, 1 + 11 * 1460));
    let between = host.tcp.tcp_info(id, host.now).unwrap().snd_cwnd;
    host.answer(&peer.segment(ACK | ECE, 1, 1 + 12 * 1460));
    assert!(host.tcp.tcp_info(id, host.now).unwrap().snd_cwnd < between);
}

#[test]
fn a_loss_in_the_same_window_reduces_it_no_further() {
    let mut host = Host::default();
    let (peer, id) = accepted_marked(&mut host);
    host.write(id, &pattern(40 * 1460));
    host.output();
    host.pass(ms(50));
    host.answer(&peer.segment(ACK | ECE, 1, 1 + 1460));
    let reduced = host.tcp.tcp_info(id, host.now).unwrap().snd_ssthresh;
    for _ in 0..3 {
        host.answer(&peer.segment(ACK | ECE, 1, 1 + 1460));
    }
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.ca_state, info.snd_ssthresh), (Recovering::Recovery, reduced));
}

#[test]
fn a_loss_is_told_of_as_well() {
    // RFC 3168 §6.1.2: "for any reason".
    let mut host = Host::default();
    let (peer, id) = accepted_marked(&mut host);
    host.write(id, &pattern(10 * 1460));
    host.output();
    host.pass(ms(50));
    for _ in 0..3 {
        host.answer(&peer.segment(ACK, 1, 1));
    }
    host.answer(&peer.segment(ACK, 1, 1 + 10 * 1460));
    host.write(id, &pattern(1460));
    let fresh = host.output().remove(0);
    assert!(fresh.has(CWR) && fresh.ecn == Ecn::Capable0, "{fresh:?}");
}

#[test]
fn an_echo_nobody_agreed_on_changes_nothing() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(14_600));
    host.output();
    host.pass(ms(50));
    host.answer(&peer.segment(ACK | ECE, 1, 1461));
    assert!(host.tcp.tcp_info(id, host.now).unwrap().snd_cwnd >= 14_600);
}

#[test]
fn two_machines_agree_and_heed_marks() {
    let mut a = asking();
    let mut b = Host::at([10, 0, 0, 2], Config::default(), Sizes::default());
    let listener = b.listen(80);
    let x = a.connect(SocketAddr::new(THERE, 80)).unwrap();
    exchange(&mut a, &mut b);
    let y = b.accept(listener).unwrap();
    assert!(marked(&a, x) && marked(&b, y));
    let stream = pattern(200_000);
    let (mut written, mut received, mut marks) = (0, Vec::new(), 0);
    while received.len() < stream.len() {
        written += a.write(x, &stream[written..]);
        for (place, mut segment) in a.output().into_iter().enumerate() {
            // A router that marks each tenth.
            if segment.ecn == Ecn::Capable0 && place % 10 == 3 {
                segment.ecn = Ecn::Congested;
                marks += 1;
            }
            b.input(&segment).unwrap();
        }
        a.pass(ms(5));
        b.pass(ms(5)).into_iter().for_each(|(_, segment)| a.input(&segment).unwrap());
        received.extend(b.read(y));
    }
    assert!(received == stream && marks > 1);
    let info = a.tcp.tcp_info(x, a.now).unwrap();
    assert!(info.snd_ssthresh < u32::MAX && info.lost == 0, "{info:?}");
}

// --- more accurate feedback (RFC 9768) -------------------------------------------------------------------------------

fn counting() -> Host {
    Host::new(Config { ecn: Marking::Accurate, ..Config::default() }, Sizes::default())
}

/// A connection through a listener whose peer counts marks; its SYN-ACK arrived so.
fn accepted_counting(host: &mut Host, arrived: u8) -> (Peer, ConnectionId) {
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    let syn = peer.segment(SYN, 0, 0).options(&[2, 4, 5, 180, 1, 3, 3, 7]).counter(0b111);
    let syn_ack = host.answer(&syn).remove(0);
    assert_eq!(syn_ack.counted(), 0b010, "the SYN was not marked: {syn_ack:?}");
    peer.irs = syn_ack.seq;
    host.pass(ms(100));
    host.answer(&peer.segment(ACK, 1, 1).counter(arrived));
    (peer, host.accept(listener).unwrap())
}

#[test]
fn how_a_syn_arrived_is_said_in_the_answer() {
    for (ecn, code) in
        [(Ecn::NotCapable, 0b010), (Ecn::Capable1, 0b011), (Ecn::Capable0, 0b100), (Ecn::Congested, 0b110)]
    {
        let mut host = counting();
        host.listen(80);
        let syn = Peer::new(80, 4000).segment(SYN, 0, 0).counter(0b111).ecn(ecn);
        let syn_ack = host.answer(&syn).remove(0);
        assert_eq!((syn_ack.counted(), syn_ack.flags & (SYN | ACK)), (code, SYN | ACK));
    }
}

#[test]
fn who_asks_for_less_or_whoever_does_not_count_gets_less() {
    let mut host = counting();
    host.listen(80);
    assert!(host.answer(&Peer::new(80, 4000).segment(SYN | ECE | CWR, 0, 0))[0].is(SYN | ACK | ECE));
    let mut host = Host::default();
    host.listen(80);
    let syn_ack = host.answer(&Peer::new(80, 4000).segment(SYN, 0, 0).counter(0b111)).remove(0);
    assert_eq!(syn_ack.counted(), 0b001, "as RFC 3168 has it");
}

#[test]
fn each_mark_is_counted_and_told_at_once() {
    let mut host = counting();
    let (peer, id) = accepted_counting(&mut host, 0b010);
    assert!(marked(&host, id));
    for mark in 1..=10_u8 {
        let data = peer.data(mark.into(), 1, b"x").counter(5).ecn(Ecn::Congested);
        let ack = host.answer(&data).remove(0);
        assert_eq!(ack.counted(), (5 + mark) & 7);
    }
    host.write(id, b"data");
    let sent = host.output().remove(0);
    assert_eq!((sent.counted(), sent.ecn), (15 & 7, Ecn::Capable0), "data tells it, too");
}

#[test]
fn a_counter_that_moves_reduces_the_window_once() {
    let mut host = counting();
    let (peer, id) = accepted_counting(&mut host, 0b010);
    host.write(id, &pattern(14_600));
    host.output();
    host.pass(ms(50));
    host.answer(&peer.segment(ACK, 1, 1461).counter(5));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!(info.snd_ssthresh, u32::MAX, "no mark yet");
    host.answer(&peer.segment(ACK, 1, 2921).counter(7));
    let reduced = host.tcp.tcp_info(id, host.now).unwrap();
    assert!(reduced.snd_cwnd < info.snd_cwnd && reduced.ca_state == Recovering::Reduced, "{reduced:?}");
    host.answer(&peer.segment(ACK, 1, 4381).counter(0));
    assert_eq!(host.tcp.tcp_info(id, host.now).unwrap().snd_ssthresh, reduced.snd_ssthresh);
}

#[test]
fn a_first_segment_without_the_bits_turns_marks_off() {
    // RFC 9768 §3.2.2.1: something on the way clears them.
    let mut host = counting();
    let (_, id) = accepted_counting(&mut host, 0);
    host.write(id, b"data");
    let sent = host.output().remove(0);
    assert_eq!((sent.ecn, sent.counted()), (Ecn::NotCapable, 0));
}

#[test]
fn we_ask_and_say_how_the_answer_arrived() {
    let mut host = counting();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    assert_eq!(syn.counted(), 0b111);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let syn_ack = peer.segment(SYN | ACK, 0, 1).options(&[2, 4, 5, 180]).counter(0b010).ecn(Ecn::Capable0);
    let ack = host.answer(&syn_ack).remove(0);
    assert_eq!(ack.counted(), 0b100);
    host.write(id, b"data");
    let sent = host.output().remove(0);
    assert_eq!((sent.counted(), sent.ecn), (5, Ecn::Capable0));
}

#[test]
fn an_older_server_is_answered_as_it_understands() {
    let mut host = counting();
    let (_, id) = opened(&mut host, ECE);
    host.write(id, b"data");
    let sent = host.output().remove(0);
    assert_eq!((sent.ecn, sent.counted()), (Ecn::Capable0, 0));
}

#[test]
fn two_machines_count_marks() {
    let mut a = counting();
    let mut b = Host::at([10, 0, 0, 2], Config { ecn: Marking::Accurate, ..Config::default() }, Sizes::default());
    let listener = b.listen(80);
    let x = a.connect(SocketAddr::new(THERE, 80)).unwrap();
    exchange(&mut a, &mut b);
    let y = b.accept(listener).unwrap();
    a.write(x, &pattern(50_000));
    exchange(&mut a, &mut b);
    assert!(b.read(y) == pattern(50_000));
    let info = a.tcp.tcp_info(x, a.now).unwrap();
    assert!(info.ecn && info.snd_ssthresh == u32::MAX, "nothing was marked: {info:?}");
    a.write(x, b"x");
    let segment = a.output().remove(0).ecn(Ecn::Congested);
    b.input(&segment).unwrap();
    exchange(&mut a, &mut b);
    assert!(a.tcp.tcp_info(x, a.now).unwrap().snd_ssthresh < u32::MAX);
}
