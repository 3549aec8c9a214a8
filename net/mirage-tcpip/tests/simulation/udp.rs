//! Datagrams between hosts.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use lab::{HostConfig, Lab, Large, lan, ms, s};
use mirage_flow::testing::{join, poll_once};
use mirage_net::Net;
use mirage_stack::{Datagram, ErrorKind, Stack as _, UdpSocket as _};
use mirage_tcpip::UdpSocket;
use mirage_vnetif::Loss;

fn bind<N: Net>(host: &Large<N>, port: u16) -> UdpSocket<'_, 'static, N> {
    (&host.stack).bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)).expect("the port is free")
}

async fn receive<N: Net>(socket: &UdpSocket<'_, '_, N>) -> (Datagram, Vec<u8>) {
    let mut buffer = vec![0; 65_536];
    let datagram = socket.recv_from(&mut buffer).await.expect("a datagram comes");
    buffer.truncate(datagram.len);
    (datagram, buffer)
}

#[test]
fn the_first_datagram_is_not_lost_while_the_neighbour_is_asked_for() {
    let lab = Lab::new("the_first_datagram_is_not_lost_while_the_neighbour_is_asked_for", 1);
    let (one, other) = (lab.host(1), lab.host(2));
    lab.run(&[&one, &other], ms(10), async {
        let (here, there) = (bind(&one, 53), bind(&other, 53));
        here.send_to(b"first", other.at(53)).await.expect("there is room");
        let (datagram, bytes) = receive(&there).await;
        assert_eq!((datagram.remote, datagram.local, &bytes[..]), (one.at(53), other.at(53), &b"first"[..]));
    });
}

#[test]
fn the_first_datagram_is_not_lost_even_in_forty_five_fragments() {
    let lab = Lab::new("the_first_datagram_is_not_lost_even_in_forty_five_fragments", 1);
    let (one, other) = (lab.host(1), lab.host(2));
    lab.run(&[&one, &other], ms(10), async {
        let (here, there) = (bind(&one, 53), bind(&other, 53));
        here.send_to(&[1; 65_507], other.at(53)).await.expect("there is room");
        assert_eq!(receive(&there).await.1, [1; 65_507]);
    });
}

#[test]
fn long_datagrams_cross_in_fragments_both_ways() {
    let lab = Lab::new("long_datagrams_cross_in_fragments_both_ways", 1);
    let (one, other) = (lab.host(1), lab.host(2));
    lab.run(&[&one, &other], s(1), async {
        let (here, there) = (bind(&one, 53), bind(&other, 53));
        for size in [1472, 1473, 9000, 65_507] {
            let payload: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            let sent = join(here.send_to(&payload, other.at(53)), there.send_to(&payload, one.at(53))).await;
            assert_eq!(sent, (Ok(()), Ok(())));
            let ((_, out), (_, back)) = join(receive(&there), receive(&here)).await;
            assert!(out == payload && back == payload, "{size} bytes arrive as they were sent");
        }
        let too_long = here.send_to(&[0; 65_508], other.at(53)).await;
        assert_eq!(too_long, Err(ErrorKind::MessageTooLong));
    });
    assert_eq!((one.counters().ipv4_blocks_in_use, other.counters().ipv4_blocks_in_use), (0, 0));
}

#[test]
fn lost_fragments_cost_their_datagram_only() {
    let lab = Lab::new("lost_fragments_cost_their_datagram_only", 3);
    let bad = lan().with_loss(Loss::random(0.05).only(200..=2000));
    let [one, other] = [1, 2].map(|number| lab.host_with(number, HostConfig::default().with_link(&bad)));
    let arrived = lab.run(&[&one, &other], s(60), async {
        let (here, there) = (bind(&one, 53), bind(&other, 53));
        let mut arrived = 0;
        for number in 0..200_u8 {
            here.send_to(&[number; 9000], other.at(53)).await.expect("there is room");
            lab.sleep(ms(50)).await;
            let mut buffer = [0; 9000];
            if let Some(received) = poll_once(there.recv_from(&mut buffer)).await {
                assert_eq!(received.expect("a datagram").len, 9000);
                assert_eq!(buffer, [number; 9000], "no datagram is made of two");
                arrived += 1;
            }
        }
        lab.sleep(s(40)).await;
        arrived
    });
    assert!((50..150).contains(&arrived), "{arrived} of 200 arrive");
    assert_eq!(other.counters().ipv4_blocks_in_use, 0, "the rest is forgotten");
}

#[test]
fn a_connected_socket_hears_that_nobody_listens() {
    let lab = Lab::new("a_connected_socket_hears_that_nobody_listens", 1);
    let (one, other) = (lab.host(1), lab.host(2));
    lab.run(&[&one, &other], ms(10), async {
        let socket = bind(&one, 0);
        socket.connect(Some(other.at(53))).expect("an IPv4 address");
        socket.send_to(b"anybody?", other.at(53)).await.expect("there is room");
        assert_eq!(socket.recv_from(&mut [0; 10]).await.err(), Some(ErrorKind::ConnectionRefused));
    });
}

#[test]
fn a_neighbour_that_is_not_there_holds_up_nobody() {
    let lab = Lab::new("a_neighbour_that_is_not_there_holds_up_nobody", 1);
    let (one, other) = (lab.host(1), lab.host(2));
    let nobody = |number| SocketAddr::new(Ipv4Addr::new(10, 0, 1, number).into(), 53);
    lab.run(&[&one, &other], s(20), async {
        let (here, there) = (bind(&one, 53), bind(&other, 53));
        let (took, ()) = lab
            .timed(async {
                for number in 0..200 {
                    here.send_to(&[number; 1000], nobody(number)).await.expect("there is room");
                    here.send_to(&[number], other.at(53)).await.expect("there is room");
                    assert_eq!(receive(&there).await.1, [number]);
                }
            })
            .await;
        assert!(took < ms(200), "held up for {took:?}");
        // The one who asks for that neighbour alone is told.
        let asker = bind(&one, 0);
        asker.connect(Some(nobody(201))).expect("an IPv4 address");
        asker.send_to(b"anybody?", nobody(201)).await.expect("there is room");
        assert_eq!(asker.recv_from(&mut [0; 10]).await.err(), Some(ErrorKind::HostUnreachable));
    });
}

#[test]
fn long_datagrams_for_neighbours_that_are_not_there_hold_up_nobody() {
    let lab = Lab::new("long_datagrams_for_neighbours_that_are_not_there_hold_up_nobody", 1);
    let (one, other) = (lab.host(1), lab.host(2));
    lab.run(&[&one, &other], s(20), async {
        let (here, there) = (bind(&one, 53), bind(&other, 53));
        here.send_to(b"known", other.at(53)).await.expect("there is room");
        assert_eq!(receive(&there).await.1, b"known");
        for number in [77, 78, 79] {
            let nobody = SocketAddr::new(Ipv4Addr::new(10, 0, 0, number).into(), 53);
            here.send_to(&[1; 65_507], nobody).await.expect("there is room");
        }
        here.send_to(&[2; 65_507], other.at(53)).await.expect("there is room");
        assert_eq!(receive(&there).await.1, [2; 65_507]);
        // What waits for nobody is given up, and until then nothing turns in circles.
        lab.sleep(s(10)).await;
        here.send_to(&[3; 65_507], other.at(53)).await.expect("there is room");
        assert_eq!(receive(&there).await.1, [3; 65_507]);
    });
}

#[test]
fn a_group_is_joined_heard_and_left() {
    let lab = Lab::new("a_group_is_joined_heard_and_left", 1);
    let (one, other, third) = (lab.host(1), lab.host(2), lab.host(3));
    let group = IpAddr::V4(Ipv4Addr::new(239, 1, 2, 3));
    let door = SocketAddr::new(group, 5353);
    lab.run(&[&one, &other, &third], s(20), async {
        let (speaker, member, stranger) = (bind(&one, 5353), bind(&other, 5353), bind(&third, 5353));
        member.join_multicast(group).expect("there is room for a group");
        lab.sleep(s(1)).await;
        speaker.send_to(b"to all of you", door).await.expect("there is room");
        let (datagram, bytes) = receive(&member).await;
        assert_eq!((datagram.local, datagram.remote, &bytes[..]), (door, one.at(5353), &b"to all of you"[..]));

        member.leave_multicast(group).expect("it was a member");
        assert_eq!(member.leave_multicast(group), Err(ErrorKind::AddressNotAvailable));
        lab.sleep(s(1)).await;
        speaker.send_to(b"nobody hears this", door).await.expect("there is room");
        lab.sleep(s(1)).await;
        for deaf in [&member, &stranger] {
            assert!(poll_once(deaf.recv_from(&mut [0; 20])).await.is_none(), "heard a group it is not in");
        }
    });
    // RFC 3376 §4.2.12: "TO_IN" with no sources leaves (3), "TO_EX" with none joins (4).
    let mut reports = Vec::new();
    lab.for_each_frame(|_, frame| {
        if frame[12..14] == [8, 0] && frame[23] == 2 {
            assert_eq!(frame[6..12], other.mac.0);
            let message = &frame[14 + usize::from(frame[14] & 15) * 4..];
            assert_eq!(message[12..16], [239, 1, 2, 3]);
            reports.push(message[8]);
        }
    });
    reports.dedup();
    assert_eq!(reports, [4, 3], "the routers are told of joining and leaving");
}

#[test]
fn everybody_hears_a_broadcast() {
    let lab = Lab::new("everybody_hears_a_broadcast", 1);
    let (one, other, third) = (lab.host(1), lab.host(2), lab.host(3));
    lab.run(&[&one, &other, &third], s(1), async {
        let (speaker, hearers) = (bind(&one, 53), [bind(&other, 53), bind(&third, 53)]);
        for to in [Ipv4Addr::new(10, 255, 255, 255), Ipv4Addr::BROADCAST] {
            speaker.send_to(b"hear", SocketAddr::new(to.into(), 53)).await.expect("there is room");
            for hearer in &hearers {
                assert_eq!(receive(hearer).await.1, b"hear");
            }
        }
    });
}

#[test]
fn a_reader_that_does_not_read_bounds_what_is_kept_for_it() {
    let lab = Lab::new("a_reader_that_does_not_read_bounds_what_is_kept_for_it", 1);
    let (one, other) = (lab.host(1), lab.host(2));
    lab.run(&[&one, &other], s(5), async {
        let (here, idle, busy) = (bind(&one, 53), bind(&other, 53), bind(&other, 54));
        for number in 0..1000_u32 {
            here.send_to(&number.to_be_bytes(), other.at(53)).await.expect("there is room");
            here.send_to(&number.to_be_bytes(), other.at(54)).await.expect("there is room");
            assert_eq!(receive(&busy).await.1, number.to_be_bytes());
        }
        assert_eq!(other.counters().udp.datagrams, 64, "as many as the bound of a socket");
        assert_eq!(receive(&idle).await.1, 0_u32.to_be_bytes(), "the oldest are kept");
    });
    assert_eq!(other.discarded("udp", "queue_full"), 1000 - 64);
}
