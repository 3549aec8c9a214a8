//! Connections: how they come about, how they do not, and what goes through them in a few words.

use core::net::{Ipv4Addr, SocketAddr};

use lab::{HostConfig, Lab, Tasks, lan, ms, receive, s, send};
use mirage_flow::testing::{join, poll_once};
use mirage_flow::{Direction, Read, Shutdown, Write};
use mirage_stack::{ErrorKind, ListenOptions, Stack as _, TcpListener as _, TcpStream as _};
use mirage_vnetif::{Impairments, Loss};

/// A greeting and its answer over two links that are like `link`.
fn hello(test: &str, seed: u64, link: &Impairments) {
    let lab = Lab::new(test, seed);
    let sizes = mirage_tcpip::Sizes { connections: 4, blocks: 16, fragments: 16, ..HostConfig::default().sizes };
    let config = HostConfig { sizes, ..HostConfig::default().with_link(link) };
    let [client, server] = [1, 2].map(|number| lab.host_with(number, config.clone()));
    let greet = async {
        let mut stream = client.connect(server.at(7)).await.expect("the server listens");
        stream.write_all(b"hello").await.expect("the connection holds");
        stream.shutdown(Direction::Write).await.expect("the connection holds");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.expect("the answer arrives");
        assert_eq!(&answer, b"olleh");
        assert_eq!(stream.read(&mut answer).await, Ok(0));
    };
    let answer = async {
        let mut stream = server.listen(7).accept().await.expect("a connection comes");
        let mut greeting = [0; 5];
        stream.read_exact(&mut greeting).await.expect("the greeting arrives");
        assert_eq!(stream.read(&mut [0; 5]).await, Ok(0));
        greeting.reverse();
        stream.write_all(&greeting).await.expect("the connection holds");
    };
    lab.run(&[&client, &server], s(120), join(greet, answer));
    // What is left of it: the memory of who closed first.
    lab.run(&[&client, &server], s(400), lab.sleep(s(360)));
    client.assert_empty();
    server.assert_empty();
}

#[test]
fn hello_over_a_good_link() {
    hello("hello_over_a_good_link", 1, &lan());
}

#[test]
fn hello_a_hundred_times_where_one_short_frame_in_ten_is_lost() {
    for seed in 0..100 {
        let bad = lan().with_loss(Loss::random(0.1).only(0..=100));
        hello("hello_a_hundred_times_where_one_short_frame_in_ten_is_lost", seed, &bad);
    }
}

#[test]
fn hello_with_trailing_garbage() {
    hello("hello_with_trailing_garbage", 1, &lan().with_trailing(9));
}

/// One answer of 7000 bytes from a server with MTU `server` to a client with MTU `client`; the payloads of the
/// segments that carried it.
fn large_answer(test: &str, client: usize, server: usize) -> Vec<usize> {
    let lab = Lab::new(test, 1);
    let [client, server] = [(1, client), (2, server)].map(|(number, mtu)| {
        lab.host_with(number, HostConfig::default().with_mtu(mtu).with_link(&lan().with_mtu(mtu)))
    });
    lab.run(&[&client, &server], s(1), async {
        let (mut here, mut there) = client.pair(&server, 80).await;
        let answer = async {
            let hash = send(&mut there, 7000, 3).await.expect("the connection holds");
            there.shutdown(Direction::Write).await.expect("the connection holds");
            hash
        };
        let (sent, received) = join(answer, receive(&mut here)).await;
        assert_eq!(received, Ok((7000, sent)));
    });
    let mut payloads = Vec::new();
    lab.for_each_frame(|_, frame| {
        if frame[12..14] == [8, 0] && frame[6..12] == server.mac.0 {
            let len = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
            payloads.extend(Some(len - 20 - usize::from(frame[46] >> 4) * 4).filter(|payload| *payload > 0));
        }
    });
    payloads
}

#[test]
fn a_large_answer_crosses_from_a_large_mtu_to_a_small_one() {
    let payloads = large_answer("a_large_answer_crosses_from_a_large_mtu_to_a_small_one", 1500, 9000);
    assert_eq!(payloads, [1448, 1448, 1448, 1448, 1208]);
}

#[test]
fn a_large_answer_crosses_from_a_small_mtu_to_a_large_one() {
    let payloads = large_answer("a_large_answer_crosses_from_a_small_mtu_to_a_large_one", 9000, 1500);
    assert_eq!(payloads, [1448, 1448, 1448, 1448, 1208]);
}

#[test]
fn a_large_answer_is_not_cut_without_need() {
    assert_eq!(large_answer("a_large_answer_is_not_cut_without_need", 9000, 9000), [7000]);
}

#[test]
fn a_port_where_nobody_listens_refuses() {
    let lab = Lab::new("a_port_where_nobody_listens_refuses", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], ms(10), async {
        assert_eq!(client.connect(server.at(81)).await.err(), Some(ErrorKind::ConnectionRefused));
    });
    client.assert_empty();
}

#[test]
fn a_neighbour_that_is_not_there_is_unreachable_within_seconds() {
    let lab = Lab::new("a_neighbour_that_is_not_there_is_unreachable_within_seconds", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(10), async {
        let nobody = SocketAddr::new(Ipv4Addr::new(10, 0, 0, 99).into(), 80);
        assert_eq!(client.connect(nobody).await.err(), Some(ErrorKind::HostUnreachable));
    });
    client.assert_empty();
}

#[test]
fn a_network_without_a_route_is_unreachable_at_once() {
    let lab = Lab::new("a_network_without_a_route_is_unreachable_at_once", 1);
    let client = lab.host(1);
    lab.run(&[&client], ms(0), async {
        let far = SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), 80);
        assert_eq!(client.connect(far).await.err(), Some(ErrorKind::HostUnreachable));
    });
}

#[test]
fn a_host_that_dies_during_the_handshake_times_out() {
    let lab = Lab::new("a_host_that_dies_during_the_handshake_times_out", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(300), async {
        drop(client.pair(&server, 80).await);
        lab.impair(server.id, &Impairments::default().with_loss(Loss::every_nth(1).only(54..=2000)));
        let (took, result) = lab.timed(client.connect(server.at(80))).await;
        assert_eq!(result.err(), Some(ErrorKind::TimedOut));
        assert!(took > s(100) && took < s(140), "given up after {took:?}");
    });
}

#[test]
fn connections_beyond_the_backlog_wait_until_there_is_room() {
    let lab = Lab::new("connections_beyond_the_backlog_wait_until_there_is_room", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    let mut tasks = Tasks::default();
    for number in 0..10_u8 {
        let (client, server) = (&client, &server);
        tasks.add(format!("client {number}"), async move {
            let mut stream = client.connect(server.at(80)).await.expect("nobody is refused");
            stream.write_all(&[number; 10]).await.expect("the connection holds");
            let mut answer = [0; 10];
            stream.read_exact(&mut answer).await.expect("everybody is served");
            assert_eq!(answer, [number; 10]);
        });
    }
    tasks.add("server", async {
        let mut listener = server.listen_with(80, ListenOptions { backlog: 2, ..ListenOptions::default() });
        lab.sleep(s(2)).await;
        assert!(server.tcp().connections <= 2, "no more connections than the backlog allows");
        for _ in 0..10 {
            let mut stream = listener.accept().await.expect("the listener works");
            let mut word = [0; 10];
            stream.read_exact(&mut word).await.expect("the connection holds");
            stream.write_all(&word).await.expect("the connection holds");
        }
    });
    lab.run_all(&[&client, &server], s(60), tasks);
}

#[test]
fn after_one_side_has_ended_the_other_may_go_on() {
    let lab = Lab::new("after_one_side_has_ended_the_other_may_go_on", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(5), async {
        let (mut here, mut there) = client.pair(&server, 80).await;
        here.write_all(b"all of it?").await.expect("the connection holds");
        here.shutdown(Direction::Write).await.expect("the connection holds");
        let question = receive(&mut there).await.expect("the question arrives").0;
        assert_eq!(question, 10);
        // Long after the end of the question.
        lab.sleep(s(1)).await;
        let answer = async {
            let hash = send(&mut there, 5_000_000, 3).await.expect("the connection holds");
            drop(there);
            hash
        };
        let (sent, received) = join(answer, receive(&mut here)).await;
        assert_eq!(received, Ok((5_000_000, sent)));
    });
}

#[test]
fn a_port_can_be_listened_on_again_at_once() {
    let lab = Lab::new("a_port_can_be_listened_on_again_at_once", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(5), async {
        for _ in 0..20 {
            let (mut here, mut there) = client.pair(&server, 80).await;
            here.write_all(b"x").await.expect("the connection holds");
            assert_eq!(there.read(&mut [0]).await, Ok(1));
            // The server closes first: it is the one to remember.
            drop(there);
            assert_eq!(here.read(&mut [0]).await, Ok(0));
        }
    });
    assert!(server.tcp().time_wait > 10, "the server remembers them");
}

#[test]
fn a_listener_that_goes_resets_those_who_wait() {
    let lab = Lab::new("a_listener_that_goes_resets_those_who_wait", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(5), async {
        let listener = server.listen(80);
        let mut stream = client.connect(server.at(80)).await.expect("the server listens");
        lab.sleep(ms(10)).await;
        drop(listener);
        assert_eq!(stream.read(&mut [0]).await, Err(ErrorKind::ConnectionReset));
        assert_eq!(client.connect(server.at(80)).await.err(), Some(ErrorKind::ConnectionRefused));
    });
    server.assert_empty();
}

#[test]
fn a_dropped_attempt_leaves_nothing() {
    let lab = Lab::new("a_dropped_attempt_leaves_nothing", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(100), async {
        let listener = server.listen(80);
        for _ in 0..10 {
            assert!(poll_once(client.connect(server.at(80))).await.is_none());
            lab.sleep(ms(1)).await;
        }
        drop(listener);
        lab.sleep(s(70)).await;
    });
    client.assert_empty();
    server.assert_empty();
}

#[test]
fn the_ends_of_a_connection_are_known_after_it_was_reset() {
    let lab = Lab::new("the_ends_of_a_connection_are_known_after_it_was_reset", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(1), async {
        let (here, mut there) = client.pair(&server, 80).await;
        let end = here.local_addr();
        here.abort();
        assert_eq!(there.read(&mut [0]).await, Err(ErrorKind::ConnectionReset));
        assert_eq!((there.remote_addr(), there.local_addr()), (end, server.at(80)));
    });
}

#[test]
fn a_stack_without_free_slots_says_so() {
    let lab = Lab::new("a_stack_without_free_slots_says_so", 1);
    let sizes = mirage_tcpip::Sizes { connections: 1, ..HostConfig::default().sizes };
    let client = lab.host_with(1, HostConfig { sizes, ..HostConfig::default() });
    let server = lab.host(2);
    lab.run(&[&client, &server], s(1), async {
        let _door = server.listen(80);
        let first = client.connect(server.at(80)).await.expect("the server listens");
        let second = (&client.stack).connect(server.at(80), mirage_stack::TcpOptions::default()).await;
        assert_eq!(second.err(), Some(ErrorKind::OutOfResources));
        first.abort();
        client.connect(server.at(80)).await.expect("the slot is free again");
    });
}
