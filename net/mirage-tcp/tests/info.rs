//! What a connection tells of itself, in the terms of Linux's `struct tcp_info`.

mod support;

use support::*;

/// A connection whose peer takes much and tells what it has; each says so in the SYN.
fn selective(host: &mut Host) -> (Peer, ConnectionId) {
    accepted_with(host, &[2, 4, 5, 180, 4, 2, 3, 3, 7])
}

fn accepted_with(host: &mut Host, options: &[u8]) -> (Peer, ConnectionId) {
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    let syn_ack = host.answer(&peer.segment(SYN, 0, 0).options(options)).remove(0);
    peer.irs = syn_ack.seq;
    host.pass(ms(100));
    host.answer(&peer.segment(ACK, 1, 1));
    (peer, host.accept(listener).unwrap())
}

/// An acknowledgement up to `ack` with the block from `start` to `end`.
fn sack(peer: &Peer, ack: u32, start: u32, end: u32) -> Segment {
    let mut options = vec![1, 1, 5, 10];
    options.extend(peer.irs.wrapping_add(start).to_be_bytes());
    options.extend(peer.irs.wrapping_add(end).to_be_bytes());
    peer.segment(ACK, 1, ack).options(&options)
}

#[test]
fn a_fresh_connection_tells_what_was_agreed_on() {
    let mut host = Host::default();
    let (_, id) = selective(&mut host);
    host.output();
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.state, info.ca_state), (State::Established, Recovering::Open));
    assert!(info.sack && !info.timestamps && !info.ecn);
    assert_eq!((info.snd_wscale, info.rcv_wscale.is_some()), (Some(7), true));
    assert_eq!((info.rtt, info.min_rtt), (ms(100), ms(100)));
    assert_eq!((info.snd_cwnd % 10, info.snd_ssthresh), (0, u32::MAX));
    assert_eq!((info.unacked, info.bytes_acked, info.bytes_received, info.delivered), (0, 0, 0, 0));
}

#[test]
fn a_connection_that_has_sent_knows_segment_sizes_and_the_path() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake { mss: Some(1000), ..Handshake::default() });
    host.write(id, b"x");
    host.output();
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.snd_mss, info.advmss, info.pmtu), (1000, 1460, 1500));
}

#[test]
fn bytes_are_counted_without_syn_and_fin() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host);
    host.write(id, &pattern(3000));
    host.output();
    host.answer(&peer.data(1, 3001, b"0123456789"));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.bytes_acked, info.bytes_received, info.delivered), (3000, 10, 3000));
    host.tcp.shutdown(id, Direction::Write).unwrap();
    host.output();
    host.answer(&peer.segment(FIN | ACK, 11, 3002));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.bytes_acked, info.bytes_received), (3000, 10));
}

#[test]
fn what_is_missing_lost_and_sent_again_is_counted() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host);
    host.write(id, &pattern(10 * 1460));
    host.output();
    host.pass(ms(100));
    // One segment, then one more: the first may only be late.
    host.input(&sack(&peer, 1, 1461, 2921)).unwrap();
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.unacked, info.sacked, info.lost, info.ca_state), (14_600, 1460, 0, Recovering::Disorder));
    host.input(&sack(&peer, 1, 1461, 1461 + 3 * 1460)).unwrap();
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.sacked, info.lost, info.retrans, info.ca_state), (4380, 1460, 0, Recovering::Recovery));
    let again = host.output();
    assert_eq!(peer.seq(&again[0]), 1);
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.lost, info.retrans, info.total_retrans), (1460, 1460, 1), "as Linux, it stays among the lost");
    assert!(info.snd_ssthresh < 14_600);
    host.pass(ms(50));
    host.answer(&peer.segment(ACK, 1, 1 + 10 * 1460));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.unacked, info.sacked, info.lost, info.retrans), (0, 0, 0, 0));
    assert_eq!((info.total_retrans, info.delivered, info.ca_state), (1, 14_600, Recovering::Open));
}

#[test]
fn timeouts_in_a_row_are_counted_and_forgotten() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host);
    host.write(id, &pattern(1000));
    host.pass(s(2));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!(info.ca_state, Recovering::Loss);
    assert!(info.backoff >= 1 && info.retransmits == info.backoff, "{info:?}");
    host.answer(&peer.segment(ACK, 1, 1001));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.backoff, info.retransmits), (0, 0));
}

#[test]
fn probes_of_a_closed_window_are_no_retransmissions() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake { window: 0, ..Handshake::default() });
    host.write(id, b"waits");
    host.pass(s(10));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert!(info.probes >= 2, "{info:?}");
    assert_eq!((info.retransmits, info.total_retrans, info.notsent_bytes), (0, 0, 5));
}

#[test]
fn the_delivery_rate_is_measured() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host);
    assert_eq!(host.tcp.tcp_info(id, host.now).unwrap().delivery_rate, 0);
    host.write(id, &pattern(10 * 1460));
    host.output();
    host.pass(ms(100));
    host.answer(&peer.segment(ACK, 1, 1 + 10 * 1460));
    let rate = host.tcp.tcp_info(id, host.now).unwrap().delivery_rate;
    assert!((145_000..=147_000).contains(&rate), "14,600 bytes in 100 ms, not {rate} a second");
}

#[test]
fn it_tells_when_data_was_sent_and_the_peer_was_heard() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host);
    host.pass(s(1));
    host.write(id, b"x");
    host.output();
    host.pass(ms(10));
    host.answer(&peer.segment(ACK, 1, 2));
    host.pass(ms(5));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert!(info.last_data_sent.as_millis().abs_diff(15) <= 1, "{:?}", info.last_data_sent);
    assert_eq!(info.last_ack_recv, ms(5));
}
