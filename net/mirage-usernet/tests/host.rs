//! The gateway on the real host's sockets, on the loopback interface only.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "tests have std")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;

use futures_util::future::{Either, join, join4, select};
use mirage_flow::{Read as _, Split as _};
use mirage_stack::{ListenOptions, Stack as _, TcpListener as _, TcpOptions, UdpSocket as _};
use mirage_stack_unix::HostStack;
use mirage_tcpip::{ErrorKind, Sizes, Stack, Storage};
use mirage_unix::{MonotonicClock, Reactor};
use mirage_usernet::{Config, Forward, Gateway, Transport};
use mirage_vnetif::CableEnd;

use common::{Alarm, Background, Dice, receive, run, s, send};

type Guest = Stack<'static, CableEnd>;

/// Runs `test` with a guest, the host's sockets and the gateway's forwards.
fn with_gateway(config: Config, test: impl AsyncFnOnce(&Guest, &HostStack, &[Forward])) {
    let reactor = Reactor::new().expect("a process may have a few descriptors");
    let host = HostStack::new(&reactor);
    let (near, far) = mirage_vnetif::cable(1_500, 64);
    let sizes = Sizes { connections: 64, blocks: 1024, ..Sizes::default() };
    let guest = Stack::new(near, mirage_tcpip::Config::default(), Storage::allocate(sizes), &mut Dice(1));
    guest.add_address("10.0.2.15/24".parse().expect("an address")).expect("there is room");
    guest.set_gateway(GATEWAY).expect("there is room");
    let gateway = Gateway::new(far, host.clone(), config, &mut Dice(2)).expect("loopback has free ports");
    let alarm = Alarm::new(MonotonicClock);
    let background = Background::default().with(guest.run(&alarm, &alarm)).with(gateway.run(&alarm, &alarm));
    let (main, limit) = (test(&guest, &host, gateway.forwards()), alarm.sleep(s(20)));
    let test = async {
        let (main, limit) = (pin!(main), pin!(limit));
        assert!(matches!(select(main, limit).await, Either::Left(_)), "the test takes too long");
    };
    run(background, test, || {
        reactor.wait(alarm.next()).expect("the kernel waits");
        alarm.ring();
    });
}

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn forwarding(transport: Transport, guest: u16) -> Config {
    Config { forwards: vec![Forward { transport, host: loopback(0), guest }], ..Config::default() }
}

#[test]
fn the_guest_reaches_a_server_on_the_hosts_loopback_by_the_gateways_address() {
    with_gateway(Config::default(), async |guest, host, _| {
        let mut listener = host.listen(loopback(0), ListenOptions::default()).unwrap();
        let to = SocketAddr::new(GATEWAY.into(), listener.local_addr().port());
        let mut client = guest.connect(to, TcpOptions::default()).await.unwrap();
        let mut server = listener.accept().await.unwrap();
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.split(), server.split());
        let len = 5_000_000;
        let (_, _, up, down) = join4(
            send(&mut to_client, 1, len),
            send(&mut to_server, 2, len),
            receive(&mut from_server, 1),
            receive(&mut from_client, 2),
        )
        .await;
        assert_eq!((up, down), (len, len));
    });
}

#[test]
fn a_port_that_refuses_resets_the_guest() {
    with_gateway(Config::default(), async |guest, host, _| {
        // Free a moment ago.
        let port = host.listen(loopback(0), ListenOptions::default()).unwrap().local_addr().port();
        let to = SocketAddr::new(GATEWAY.into(), port);
        let mut client = guest.connect(to, TcpOptions::default()).await.unwrap();
        assert_eq!(client.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
    });
}

#[test]
fn a_stranger_is_served_by_the_guest() {
    with_gateway(forwarding(Transport::Tcp, 80), async |guest, host, forwards| {
        let mut listener = guest.listen("0.0.0.0:80".parse().unwrap(), ListenOptions::default()).unwrap();
        let mut stranger = host.connect(forwards[0].host, TcpOptions::default()).await.unwrap();
        let mut server = listener.accept().await.unwrap();
        let (_, len) = join(send(&mut stranger, 1, 100_000), receive(&mut server, 1)).await;
        assert_eq!(len, 100_000);
        let (_, len) = join(send(&mut server, 2, 100_000), receive(&mut stranger, 2)).await;
        assert_eq!(len, 100_000);
    });
}

#[test]
fn a_closed_port_of_the_guest_resets_the_stranger() {
    with_gateway(forwarding(Transport::Tcp, 80), async |_, host, forwards| {
        let mut stranger = host.connect(forwards[0].host, TcpOptions::default()).await.unwrap();
        let error = stranger.read(&mut [0; 8]).await.expect_err("the connection is broken");
        assert_eq!(mirage_stack::Error::kind(&error), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_datagram_reaches_the_hosts_loopback_and_is_answered() {
    with_gateway(Config::default(), async |guest, host, _| {
        let server = host.bind(loopback(0)).unwrap();
        let to = SocketAddr::new(GATEWAY.into(), server.local_addr().port());
        let client = guest.bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let mut buffer = [0; 64];
        for round in 0..10 {
            client.send_to(&[round; 7], to).await.unwrap();
            let question = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(buffer[..question.len], [round; 7]);
            server.send_to(&[round; 9], question.remote).await.unwrap();
            let answer = client.recv_from(&mut buffer).await.unwrap();
            assert_eq!((answer.remote, &buffer[..answer.len]), (to, &[round; 9][..]));
        }
    });
}

/// Asks the name server at 10.0.2.3, which is this test at `resolver`.
fn ask(resolver: &str) {
    let reactor = Reactor::new().expect("a process may have a few descriptors");
    // The gateway must know the port before it starts; it is free now and nobody else takes it so soon.
    let Ok(probe) = HostStack::new(&reactor).bind(resolver.parse().unwrap()) else { return };
    let resolver = probe.local_addr();
    drop(probe);
    with_gateway(Config { resolver: Some(resolver), ..Config::default() }, async |guest, host, _| {
        let server = host.bind(resolver).unwrap();
        let client = guest.bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let (mut buffer, name_server) = ([0; 64], "10.0.2.3:53".parse().unwrap());
        client.send_to(b"mirage.io?", name_server).await.unwrap();
        let question = server.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..question.len], b"mirage.io?");
        server.send_to(b"here", question.remote).await.unwrap();
        let answer = client.recv_from(&mut buffer).await.unwrap();
        assert_eq!((answer.remote, &buffer[..answer.len]), (name_server, &b"here"[..]));
    });
}

#[test]
fn questions_reach_the_hosts_resolver() {
    ask("127.0.0.1:0");
}

#[test]
fn questions_reach_a_resolver_that_speaks_ipv6() {
    // Where the host has no IPv6 there is nothing to ask.
    ask("[::1]:0");
}

#[test]
fn strangers_on_the_host_talk_to_the_guest_by_datagrams() {
    with_gateway(forwarding(Transport::Udp, 53), async |guest, host, forwards| {
        let server = guest.bind("0.0.0.0:53".parse().unwrap()).unwrap();
        let strangers = [host.bind(loopback(0)).unwrap(), host.bind(loopback(0)).unwrap()];
        let mut buffer = [0; 64];
        let mut seen = Vec::new();
        for (stranger, name) in strangers.iter().zip([1, 2]) {
            stranger.send_to(&[name], forwards[0].host).await.unwrap();
            let question = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(buffer[..question.len], [name]);
            seen.push(question.remote);
        }
        for ((stranger, name), from) in strangers.iter().zip([1, 2]).zip(seen).rev() {
            server.send_to(&[name + 10], from).await.unwrap();
            let answer = stranger.recv_from(&mut buffer).await.unwrap();
            assert_eq!((answer.remote, &buffer[..answer.len]), (forwards[0].host, &[name + 10][..]));
        }
    });
}
