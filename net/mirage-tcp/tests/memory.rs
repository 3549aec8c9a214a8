//! What connections cost, and what happens when there is no more.

mod support;

use core::net::SocketAddr;
use core::task::{Context, Poll};

use mirage_net::testing::Wakes;
use support::*;

#[test]
fn an_idle_connection_costs_half_a_kilobyte_at_most() {
    let slot = size_of::<mirage_tcp::Slot>();
    let idle = slot + size_of::<u32>() + size_of::<mirage_tcp::TimerSlot>();
    assert!(idle <= 512, "{idle} bytes");
    let half_open = size_of::<mirage_tcp::HalfOpenSlot>() + size_of::<mirage_tcp::TimerSlot>();
    assert!(half_open <= 128, "a half-open connection is {half_open} bytes");
    assert!(size_of::<mirage_tcp::TimeWaitSlot>() <= 80, "{}", size_of::<mirage_tcp::TimeWaitSlot>());
    assert_eq!(size_of::<mirage_tcp::Block>(), 3136);
}

#[test]
fn an_idle_connection_holds_no_block() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    assert_eq!(host.tcp.stats().blocks_in_use, 0);
    host.write(id, b"question");
    host.output();
    assert_eq!(host.tcp.stats().blocks_in_use, 1);
    host.answer(&peer.data(1, 9, b"answer"));
    assert_eq!(host.read(id), b"answer");
    assert_eq!(host.tcp.stats().blocks_in_use, 0);
}

#[test]
fn a_hundred_thousand_connections_leave_nothing() {
    let config = Config { time_wait: s(1), ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    let listener = host.listen(80);
    for round in 0..100_000_u32 {
        let mut peer = Peer::new(80, 1024 + (round % 60_000) as u16);
        peer.iss = round.wrapping_mul(100_000);
        let sent = host.answer(&peer.segment(SYN, 0, 0));
        let [syn_ack] = &sent[..] else { panic!("round {round}: {sent:?}") };
        peer.irs = syn_ack.seq;
        host.answer(&peer.data(1, 1, b"question"));
        let id = host.accept(listener).unwrap_or_else(|| panic!("round {round}"));
        match round % 4 {
            0 => host.tcp.abort(id),
            1 => host.tcp.close(id),
            2 => {
                host.answer(&peer.segment(RST, 9, 0));
                host.tcp.close(id);
            }
            _ => {
                assert_eq!(host.read(id), b"question");
                host.write(id, b"answer");
                host.tcp.close(id);
                host.output();
                host.answer(&peer.segment(FIN | ACK, 9, 8));
            }
        }
        host.output();
        host.now += ms(100);
        host.tcp.handle_timeout(host.now);
    }
    host.pass(s(200));
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.half_open, stats.time_wait, stats.blocks_in_use), (0, 0, 0, 0));
    assert_eq!(stats.accepted, 100_000);
    assert_eq!(host.tcp.poll_timeout(), None, "no timer is left");
}

/// Peers that each fill the window they are offered and read nothing.
fn fill(host: &mut Host, connections: u16) -> Vec<(Peer, ConnectionId, u32)> {
    let listener = host.listen(80);
    let mut filled = Vec::new();
    for port in 0..connections {
        let mut peer = Peer::new(80, 4000 + port);
        let syn_ack = host.answer(&peer.segment(SYN, 0, 0)).remove(0);
        peer.irs = syn_ack.seq;
        host.answer(&peer.segment(ACK, 1, 1));
        let id = host.accept(listener).unwrap();
        let (mut seq, mut edge) = (1, 1 + u32::from(syn_ack.window));
        while seq < edge {
            let len = (edge - seq).min(1000);
            let mut sent = host.answer(&peer.data(seq, 1, &pattern(len as usize)));
            sent.extend(host.sent_within(ms(50)));
            let Some(ack) = sent.last() else { break };
            let before = seq;
            (seq, edge) = (peer.ack(ack), peer.ack(ack) + u32::from(ack.window));
            assert!(seq > before, "what is inside the window is taken: {ack:?}");
            if edge - seq < 500 {
                break;
            }
        }
        filled.push((peer, id, seq));
    }
    filled
}

#[test]
fn a_full_pool_closes_windows_and_opens_them_again() {
    let mut host = Host::new(Config::default(), Sizes { blocks: 16, ..Sizes::default() });
    let filled = fill(&mut host, 4);
    for (peer, id, seq) in &filled {
        let info = host.tcp.info(*id).unwrap();
        assert_eq!(info.receive_queued, seq - 1, "nothing that was acknowledged is lost");
        let sent = host.answer(&peer.data(seq.wrapping_sub(1), 1, b"x"));
        assert!(sent.iter().all(|segment| peer.ack(segment) >= *seq));
    }
    for (_, id, seq) in &filled {
        assert_eq!(host.read(*id).len() as u32, seq - 1);
    }
    assert_eq!(host.tcp.stats().blocks_in_use, 0);
    for (peer, id, seq) in &filled {
        let mut seq = *seq;
        let mut read = Vec::new();
        for _ in 0..5 {
            host.sent_within(ms(100));
            host.answer(&peer.data(seq, 1, &pattern(500)));
            read.extend(host.read(*id));
            seq += 500;
        }
        assert_eq!(read.len(), 2500, "the windows are open again");
    }
}

#[test]
fn a_slow_reader_does_not_starve_the_others() {
    let mut host = Host::new(Config::default(), Sizes { blocks: 32, ..Sizes::default() });
    let slow = fill(&mut host, 1);
    let held = host.tcp.stats().blocks_in_use;
    assert!(held < 32, "one alone does not get everything: {held}");
    let mut peer = Peer::new(80, 5000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    host.answer(&peer.segment(ACK, 1, 1));
    let mut cx = Context::from_waker(core::task::Waker::noop());
    let listener = host.listen(81);
    let _ = host.tcp.poll_accept(listener, &mut cx);
    let mut other = Peer::new(81, 5001);
    other.irs = host.answer(&other.segment(SYN, 0, 0))[0].seq;
    host.answer(&other.segment(ACK, 1, 1));
    let id = host.accept(listener).unwrap();
    let mut total = 0;
    for round in 0..100 {
        host.answer(&other.data(1 + round * 1000, 1, &pattern(1000)));
        total += host.read(id).len();
        host.output();
    }
    assert_eq!(total, 100_000);
    assert_eq!(host.tcp.info(slow[0].1).unwrap().receive_queued, slow[0].2 - 1);
}

#[test]
fn a_writer_without_room_waits_and_is_woken() {
    let mut host = Host::new(Config::default(), Sizes { blocks: 8, ..Sizes::default() });
    let (peer, id) = accepted(&mut host, Handshake::default());
    let written = host.write(id, &pattern(100_000));
    assert!(written > 2000 && written < 100_000, "{written}");
    let wakes = Wakes::new();
    assert!(host.tcp.poll_write(id, &mut Context::from_waker(wakes.waker()), b"more").is_pending());
    let sent: u32 = host.output().iter().map(Segment::len).sum();
    assert_eq!(wakes.count(), 0);
    host.answer(&peer.segment(ACK, 1, 1 + sent));
    assert_eq!(wakes.count(), 1);
    assert_eq!(host.write(id, b"more"), 4);
}

#[test]
fn a_writer_that_waits_for_the_pool_is_woken_by_another_connection() {
    let mut host = Host::new(Config::default(), Sizes { blocks: 4, ..Sizes::default() });
    let listener = host.listen(80);
    let mut peers = Vec::new();
    for port in 0..3 {
        let mut peer = Peer::new(80, 4000 + port);
        peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
        host.answer(&peer.segment(ACK, 1, 1));
        peers.push((peer, host.accept(listener).unwrap()));
    }
    let mut sent = [0; 3];
    for (count, (_, id)) in sent.iter_mut().zip(&peers).take(2) {
        *count = host.write(*id, &pattern(10_000)) as u32;
    }
    let wakes = Wakes::new();
    let waiting = host.tcp.poll_write(peers[2].1, &mut Context::from_waker(wakes.waker()), b"me too");
    host.output();
    for (count, (peer, _)) in sent.iter().zip(&peers).take(2) {
        host.answer(&peer.segment(ACK, 1, 1 + count));
    }
    assert!(waiting.is_ready() || wakes.count() > 0, "nobody is forgotten");
    assert_eq!(host.write(peers[2].1, b"me too"), 6);
}

#[test]
fn without_any_block_connections_open_and_close() {
    let mut host = Host::new(Config::default(), Sizes { blocks: 0, ..Sizes::default() });
    let (peer, id) = accepted(&mut host, Handshake::default());
    assert!(host.try_write(id, b"x").is_pending());
    host.answer(&peer.data(1, 1, b"x"));
    assert!(host.read_some(id, 1).is_pending());
    host.tcp.close(id);
    assert!(host.output()[0].has(FIN));
    host.answer(&peer.segment(FIN | ACK, 1, 2));
    assert_eq!(host.tcp.stats().connections, 0);
}

#[test]
fn without_any_storage_everything_is_refused_and_nothing_breaks() {
    let none = Sizes { connections: 0, listeners: 0, time_wait: 0, half_open: 0, blocks: 0, wakers: 0 };
    let mut host = Host::new(Config::default(), none);
    assert!(host.connect(SocketAddr::new(THERE, 80)).is_err());
    assert!(host.listen_with(None, Some(80), ListenOptions::default()).is_err());
    assert!(host.answer(&Peer::new(80, 4000).segment(SYN, 0, 0))[0].is(RST | ACK));
    host.pass(s(100));
}

#[test]
fn two_slow_machines_never_deadlock() {
    // Both write much before they read: with so few blocks both are full at times.
    for blocks in [2, 3, 4, 6, 8, 16] {
        let sizes = Sizes { blocks, ..Sizes::default() };
        let (mut a, mut b) = (Host::new(Config::default(), sizes), Host::at([10, 0, 0, 2], Config::default(), sizes));
        let listener = b.listen(80);
        let to_b = a.connect(SocketAddr::new(THERE, 80)).unwrap();
        exchange(&mut a, &mut b);
        let to_a = b.accept(listener).unwrap();
        let data = pattern(20_000);
        let (mut a_sent, mut b_sent, mut a_read, mut b_read) = (0, 0, Vec::new(), Vec::new());
        for _ in 0..4000 {
            a_sent += a.write(to_b, &data[a_sent..]);
            b_sent += b.write(to_a, &data[b_sent..]);
            run(&mut a, &mut b, ms(100));
            for (host, id, read) in [(&mut a, to_b, &mut a_read), (&mut b, to_a, &mut b_read)] {
                if let Poll::Ready(Ok(bytes)) = host.read_some(id, 700) {
                    read.extend(bytes);
                }
            }
            if a_read.len() == data.len() && b_read.len() == data.len() {
                break;
            }
        }
        assert!(a_read == data && b_read == data, "{blocks} blocks: {} and {}", a_read.len(), b_read.len());
    }
}
