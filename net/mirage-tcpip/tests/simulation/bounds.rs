//! Floods: what a poll does is bounded, what is held is bounded, and the honest get through.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::{Context, Waker};

use lab::raw::{Packet, SYN, Segment, UDP};
use lab::{Dice, HostConfig, Lab, Large, Raw, Tasks, ms, s};
use mirage_clock::Instant;
use mirage_flow::testing::poll_once;
use mirage_flow::{Read, Write};
use mirage_stack::{Stack as _, TcpListener as _, UdpSocket as _};
use mirage_tcpip::Progress;
use rand_core::Rng as _;

fn address(host: &Large) -> Ipv4Addr {
    let IpAddr::V4(address) = host.address else { panic!("the laboratory speaks IPv4") };
    address
}

#[test]
fn a_flood_is_taken_in_by_the_budget() {
    const FLOOD: u64 = 10_000;
    let lab = Lab::new("a_flood_is_taken_in_by_the_budget", 1);
    let mut config = HostConfig::default();
    config.node.slots = 20_000;
    let (host, raw) = (lab.host_with(1, config), lab.raw());
    let peer = Ipv4Addr::new(10, 0, 0, 200);
    let to_peer = SocketAddr::new(peer.into(), 53);

    // A neighbour that is known, a connection whose SYN was not answered, and a socket.
    let socket = (&host.stack).bind(host.at(53)).expect("the port is free");
    let mut attempt = Box::pin(host.connect(to_peer));
    lab.run(&[&host], s(1), async {
        assert!(poll_once(attempt.as_mut()).await.is_none());
        raw.segment().await;
    });
    let syns = host.tcp().segments_out;

    let payload = vec![0x10, 0, 0, 99, 0, 8, 0, 0];
    let stray = Packet { payload, ..Packet::new(peer, address(&host), UDP) };
    (0..FLOOD).for_each(|_| raw.send_ipv4(host.mac, &stray));
    let later = Instant::from_millis(1500);
    lab.network().advance_to(later);
    let mut cx = Context::from_waker(Waker::noop());
    lab.run(&[], s(0), async { socket.send_to(b"in time", to_peer).await.expect("there is room") });

    let strays = || host.discarded("udp", "no_socket");
    let mut polls = 0;
    loop {
        let before = strays();
        let Progress { more, .. } = host.stack.poll(later, &mut cx).expect("the network is there");
        polls += 1;
        assert!(strays() - before <= 64, "a poll took {} frames", strays() - before);
        if polls == 1 {
            assert!(more, "there is more to do");
            assert_eq!(host.counters().udp.sent, 1, "what waits to be sent is sent in between");
            assert_eq!(host.tcp().segments_out, syns + 1, "what is due is done in between");
        }
        if !more {
            break;
        }
    }
    assert_eq!(strays(), FLOOD);
    assert_eq!(polls, FLOOD / 64 + 1);
}

/// Sends `count` SYNs from random sources of `network`, ten each millisecond.
async fn flood(lab: &Lab, raw: &Raw, host: &Large, count: u32, network: impl Fn(u32) -> Ipv4Addr) {
    let (mut dice, to) = (Dice(1), address(host));
    for number in 0..count {
        let from = 1024 | (dice.next_u32() as u16);
        let segment = Segment { from, to: 80, seq: dice.next_u32(), flags: SYN, ..Segment::default() };
        raw.send_tcp(host.mac, network(dice.next_u32()), to, &segment);
        if number % 10 == 9 {
            lab.sleep(ms(1)).await;
        }
    }
}

/// Fifty honest clients finish while `attack` runs, and the server holds no more than it may.
fn honest_clients_finish<'t>(lab: &'t Lab, server: &'t Large, honest: &'t Large, mut tasks: Tasks<'t>) {
    let mut listener = server.listen(80);
    tasks.serve("server", async move {
        loop {
            let mut stream = listener.accept().await.expect("the listener works");
            let mut word = [0; 5];
            // One after the other is quick enough: the clients speak first.
            stream.read_exact(&mut word).await.expect("the connection holds");
            stream.write_all(&word).await.expect("the connection holds");
        }
    });
    for number in 0..50 {
        tasks.add(format!("client {number}"), async move {
            lab.sleep(ms(500 + number * 180)).await;
            let (took, ()) = lab
                .timed(async {
                    let mut stream = honest.connect(server.at(80)).await.expect("the server listens");
                    stream.write_all(b"hello").await.expect("the connection holds");
                    let mut word = [0; 5];
                    stream.read_exact(&mut word).await.expect("the connection holds");
                    assert_eq!(&word, b"hello");
                })
                .await;
            assert!(took < s(1), "client {number} took {took:?}");
        });
    }
    tasks.serve("auditor", async move {
        loop {
            let tcp = server.tcp();
            assert!(tcp.half_open <= 64 && tcp.connections <= 50 && tcp.blocks_in_use <= 50, "held: {tcp:?}");
            lab.sleep(ms(50)).await;
        }
    });
    lab.run_all(&[server, honest], s(30), tasks);
    // Handshakes with neighbours that ARP does not find end early, which makes room for others without cookies.
    assert!(server.tcp().cookies_sent > 80_000, "{} cookies", server.tcp().cookies_sent);
}

#[test]
fn honest_clients_finish_during_a_flood_from_the_whole_internet() {
    let lab = Lab::new("honest_clients_finish_during_a_flood_from_the_whole_internet", 1);
    let (server, honest, raw) = (lab.host(1), lab.host(2), lab.raw());
    server.stack.set_gateway(Ipv4Addr::new(10, 0, 0, 254)).expect("there is room");
    let mut tasks = Tasks::default();
    let anywhere = |random: u32| Ipv4Addr::from_bits(random % 0x0900_0000 + 0x0b00_0000);
    tasks.add("flood", flood(&lab, &raw, &server, 100_000, anywhere));
    tasks.serve("gateway", async {
        loop {
            raw.packet().await;
        }
    });
    honest_clients_finish(&lab, &server, &honest, tasks);
}

/// The sources are neighbours that do not exist, so that ARP's table is flooded too.
#[test]
fn honest_clients_finish_during_a_flood_from_the_same_network() {
    let lab = Lab::new("honest_clients_finish_during_a_flood_from_the_same_network", 1);
    let (server, honest, raw) = (lab.host(1), lab.host(2), lab.raw());
    let mut tasks = Tasks::default();
    let nearby = |random: u32| Ipv4Addr::from_bits(0x0a01_0000 | random & 0xffff);
    tasks.add("flood", flood(&lab, &raw, &server, 100_000, nearby));
    tasks.serve("deaf", async {
        loop {
            raw.frame().await;
        }
    });
    honest_clients_finish(&lab, &server, &honest, tasks);
}
