//! The guest sends datagrams out.

use mirage_stack::UdpSocket as _;
use mirage_usernet::Config;

use crate::common::{ms, s};
use crate::lab::{HOST, Lab, SERVER, assert_nothing_is_left, at, bind};

#[test]
fn a_datagram_goes_out_and_its_answer_comes_back() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let (guest, server) = (bind(&lab.guest, 5_000), bind(&lab.server, 7));
        let mut buffer = [0; 64];
        guest.send_to(b"ping", at(SERVER, 7)).await.unwrap();
        let question = server.recv_from(&mut buffer).await.unwrap();
        assert_eq!((question.remote.ip(), &buffer[..question.len]), (at(HOST, 0).ip(), &b"ping"[..]));
        server.send_to(b"pong", question.remote).await.unwrap();
        let answer = guest.recv_from(&mut buffer).await.unwrap();
        assert_eq!((answer.remote, &buffer[..answer.len]), (at(SERVER, 7), &b"pong"[..]));
    });
}

#[test]
fn a_question_goes_to_the_hosts_resolver_and_the_answer_comes_from_the_address_that_was_asked() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { resolver: Some(at(SERVER, 53)), ..Config::default() });
    lab.run(&gateway, async {
        let (guest, resolver) = (bind(&lab.guest, 0), bind(&lab.server, 53));
        let mut buffer = [0; 64];
        guest.send_to(b"mirage.io?", at("10.0.2.3", 53)).await.unwrap();
        let question = resolver.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..question.len], b"mirage.io?");
        resolver.send_to(b"here", question.remote).await.unwrap();
        let answer = guest.recv_from(&mut buffer).await.unwrap();
        assert_eq!((answer.remote, &buffer[..answer.len]), (at("10.0.2.3", 53), &b"here"[..]));
    });
}

#[test]
fn conversations_are_kept_apart() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let (one, other) = (bind(&lab.guest, 5_001), bind(&lab.guest, 5_002));
        let servers = [bind(&lab.server, 7), bind(&lab.server, 8)];
        let mut buffer = [0; 64];
        let mut seen = Vec::new();
        for (guest, name) in [(&one, b'a'), (&other, b'b')] {
            for (server, port) in servers.iter().zip([7, 8]) {
                guest.send_to(&[name, port as u8], at(SERVER, port)).await.unwrap();
                let question = server.recv_from(&mut buffer).await.unwrap();
                assert_eq!(buffer[..2], [name, port as u8]);
                seen.push((question.remote, server, [name, port as u8]));
            }
        }
        assert_eq!(gateway.counters().conversations, 4);
        // The answers in the other order: each finds its own way.
        for (from, server, content) in seen.iter().rev() {
            server.send_to(content, *from).await.unwrap();
        }
        for (guest, name) in [(&one, b'a'), (&other, b'b')] {
            for port in [8, 7] {
                let answer = guest.recv_from(&mut buffer).await.unwrap();
                assert_eq!((answer.remote, &buffer[..answer.len]), (at(SERVER, port), &[name, port as u8][..]));
            }
        }
    });
}

#[test]
fn a_conversation_is_one_socket_of_the_host_however_much_is_said() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let (guest, server) = (bind(&lab.guest, 5_000), bind(&lab.server, 7));
        let mut ports = Vec::new();
        for _ in 0..20 {
            guest.send_to(b"again", at(SERVER, 7)).await.unwrap();
            ports.push(server.recv_from(&mut [0; 8]).await.unwrap().remote);
        }
        ports.dedup();
        assert_eq!(ports.len(), 1);
        assert_eq!((gateway.counters().begun, lab.host.counters().udp.sockets), (1, 1));
    });
}

#[test]
fn a_long_datagram_passes_whole() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let (guest, server) = (bind(&lab.guest, 5_000), bind(&lab.server, 7));
        let long: Vec<_> = (0..9_000_u32).map(|at| (at % 251) as u8).collect();
        let mut buffer = vec![0; 65_535];
        guest.send_to(&long, at(SERVER, 7)).await.unwrap();
        let there = server.recv_from(&mut buffer).await.unwrap();
        assert_eq!(buffer[..there.len], long);
        server.send_to(&long, there.remote).await.unwrap();
        let back = guest.recv_from(&mut buffer).await.unwrap();
        assert_eq!(buffer[..back.len], long);
    });
}

#[test]
fn a_silent_conversation_is_forgotten() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { conversation_timeout: s(120), ..Config::default() });
    lab.run(&gateway, async {
        let guest = bind(&lab.guest, 5_000);
        guest.send_to(b"hello?", at(SERVER, 7)).await.unwrap();
        lab.sleep(s(119)).await;
        assert_eq!(gateway.counters().conversations, 1);
        lab.sleep(s(2)).await;
        assert_nothing_is_left(&lab, &gateway, 0).await;
    });
}

#[test]
fn either_side_keeps_a_conversation_alive() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { conversation_timeout: s(120), ..Config::default() });
    lab.run(&gateway, async {
        let (guest, server) = (bind(&lab.guest, 5_000), bind(&lab.server, 7));
        guest.send_to(b"hello", at(SERVER, 7)).await.unwrap();
        let host = server.recv_from(&mut [0; 8]).await.unwrap().remote;
        for _ in 0..3 {
            lab.sleep(s(100)).await;
            guest.send_to(b"hello", at(SERVER, 7)).await.unwrap();
            assert_eq!(server.recv_from(&mut [0; 8]).await.unwrap().remote, host);
        }
        for _ in 0..3 {
            lab.sleep(s(100)).await;
            server.send_to(b"hello", host).await.unwrap();
            guest.recv_from(&mut [0; 8]).await.unwrap();
        }
        assert_eq!(gateway.counters().begun, 1);
    });
}

#[test]
fn a_refusal_does_not_end_a_conversation() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let guest = bind(&lab.guest, 5_000);
        guest.send_to(b"hello?", at(SERVER, 7)).await.unwrap();
        lab.sleep(s(1)).await;
        let server = bind(&lab.server, 7);
        // On a connected socket the refusal may be told to the next datagram, which is then lost.
        guest.send_to(b"hello?", at(SERVER, 7)).await.unwrap();
        guest.send_to(b"hello?", at(SERVER, 7)).await.unwrap();
        server.recv_from(&mut [0; 8]).await.unwrap();
        assert_eq!((gateway.counters().begun, gateway.counters().conversations), (1, 1));
    });
}

#[test]
fn only_the_one_that_was_asked_may_answer() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let (guest, server, other) = (bind(&lab.guest, 5_000), bind(&lab.server, 7), bind(&lab.server, 8));
        let mut buffer = [0; 64];
        guest.send_to(b"who?", at(SERVER, 7)).await.unwrap();
        let host = server.recv_from(&mut buffer).await.unwrap().remote;
        other.send_to(b"me!", host).await.unwrap();
        lab.sleep(ms(10)).await;
        server.send_to(b"I", host).await.unwrap();
        let answer = guest.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..answer.len], b"I");
    });
}

#[test]
fn what_may_not_leave_is_counted() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let guest = bind(&lab.guest, 5_000);
        guest.send_to(b"to nobody", at("10.0.2.77", 7)).await.unwrap();
        guest.send_to(b"to no name server", at("10.0.2.3", 53)).await.unwrap();
        lab.sleep(s(1)).await;
        assert_eq!((gateway.counters().forbidden, gateway.counters().begun), (2, 0));
    });
}
