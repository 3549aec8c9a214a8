//! What happens when there are as many as there may be.

use mirage_flow::{Read, Write};
use mirage_stack::{TcpListener as _, UdpSocket as _};
use mirage_tcpip::ErrorKind;
use mirage_usernet::Config;
use mirage_usernet::Transport::{Tcp, Udp};

use crate::common::{ms, s};
use crate::lab::{HOST, Lab, SERVER, at, bind, connect, forwarding, listen};

#[test]
fn one_connection_too_many_is_reset_and_a_place_that_is_left_is_taken() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { connections: 2, ..forwarding(&[(Tcp, 8080, 80)]) });
    lab.run(&gateway, async {
        let (mut guest, mut server) = (listen(&lab.guest, 80), listen(&lab.server, 80));
        let inwards = connect(&lab.server, at(HOST, 8080)).await.unwrap();
        let inwards = (inwards, guest.accept().await.unwrap());
        let _outwards = (connect(&lab.guest, at(SERVER, 80)).await.unwrap(), server.accept().await.unwrap());

        let mut stranger = connect(&lab.server, at(HOST, 8080)).await.unwrap();
        assert_eq!(stranger.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        let mut own = connect(&lab.guest, at(SERVER, 80)).await.unwrap();
        assert_eq!(own.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        assert_eq!((gateway.counters().connections, gateway.counters().refused), (2, 2));

        drop(inwards);
        lab.sleep(ms(100)).await;
        let mut stranger = connect(&lab.server, at(HOST, 8080)).await.unwrap();
        let mut inside = guest.accept().await.unwrap();
        stranger.write_all(b"hello").await.unwrap();
        assert_eq!(inside.read(&mut [0; 8]).await, Ok(5));
        assert_eq!((gateway.counters().connections, gateway.counters().refused), (2, 2));
    });
}

#[test]
fn the_conversation_that_was_silent_longest_makes_room_and_its_socket_goes() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { conversations: 2, ..Config::default() });
    lab.run(&gateway, async {
        let server = bind(&lab.server, 7);
        let guests = [bind(&lab.guest, 1), bind(&lab.guest, 2), bind(&lab.guest, 3)];
        let mut hosts = Vec::new();
        // The first speaks again after the second: the second is the most silent.
        for guest in [&guests[0], &guests[1], &guests[0], &guests[2]] {
            guest.send_to(b"hello", at(SERVER, 7)).await.unwrap();
            hosts.push(server.recv_from(&mut [0; 8]).await.unwrap().remote);
            lab.sleep(s(1)).await;
        }
        assert_eq!((gateway.counters().evicted, gateway.counters().conversations), (1, 2));
        assert_eq!(lab.host.counters().udp.sockets, 2, "its task has ended");
        assert_eq!(hosts[0], hosts[2], "the first is still the same");
        for host in hosts {
            server.send_to(b"answer", host).await.unwrap();
        }
        lab.sleep(s(1)).await;
        let mut waiting = std::task::Context::from_waker(std::task::Waker::noop());
        let answered = guests.map(|guest| guest.poll_recv(&mut waiting, &mut [0; 8]).is_ready());
        assert_eq!(answered, [true, false, true]);
    });
}

#[test]
fn a_burst_of_conversations_outwards_takes_no_more_sockets_than_there_may_be() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { conversations: 4, ..Config::default() });
    lab.run(&gateway, async {
        let (guest, server) = (bind(&lab.guest, 1), bind(&lab.server, 7));
        // Once, so that all neighbours know each other: few packets may wait for an address.
        guest.send_to(b"hello", at(SERVER, 7)).await.unwrap();
        server.recv_from(&mut [0; 8]).await.unwrap();
        for port in 1_000..1_200 {
            guest.send_to(b"hello", at(SERVER, port)).await.unwrap();
        }
        lab.sleep(s(1)).await;
        let counters = gateway.counters();
        assert_eq!((counters.begun, counters.evicted, counters.conversations), (201, 197, 4), "{counters:?}");
        assert_eq!((counters.dropped, lab.host.counters().udp.sockets), (0, 4));
    });
}

#[test]
fn a_burst_of_strangers_takes_no_more_sockets_than_there_may_be() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { conversations: 4, ..forwarding(&[(Udp, 5_353, 53)]) });
    lab.run(&gateway, async {
        let guest = bind(&lab.guest, 53);
        // Once, so that all neighbours know each other: few packets may wait for an address.
        bind(&lab.server, 999).send_to(b"hello", at(HOST, 5_353)).await.unwrap();
        guest.recv_from(&mut [0; 8]).await.unwrap();
        for round in 0..5 {
            let strangers: Vec<_> = (0..40).map(|number| bind(&lab.server, 1_000 + 100 * round + number)).collect();
            for stranger in &strangers {
                stranger.send_to(b"hello", at(HOST, 5_353)).await.unwrap();
            }
            for _ in &strangers {
                guest.recv_from(&mut [0; 8]).await.unwrap();
            }
        }
        lab.sleep(s(1)).await;
        let counters = gateway.counters();
        assert_eq!((counters.begun, counters.evicted, counters.conversations), (201, 197, 4), "{counters:?}");
        assert_eq!((counters.dropped, gateway.stack_counters().udp.sockets), (0, 5));
    });
}
