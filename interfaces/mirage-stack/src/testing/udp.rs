//! The exam for datagrams.

extern crate alloc;

use alloc::vec;
use core::net::{IpAddr, SocketAddr};

use mirage_flow::testing::{join, poll_once};

use super::any;
use crate::{Error, ErrorKind, Stack, UdpSocket};

/// The exam for datagrams: `client` reaches `server` at `address`; both may be the same stack.
///
/// # Panics
/// When a stack fails.
pub async fn examine_udp<C: Stack, S: Stack>(client: &C, server: &S, address: IpAddr) {
    let free = SocketAddr::new(any(address), 0);
    let (here, other) = (client.bind(free), client.bind(free));
    let (here, other) = (here.expect("a free port can be had"), other.expect("another free port can be had"));
    let there = server.bind(free).expect("a free port can be had");
    let door = SocketAddr::new(address, there.local_addr().port());
    assert_ne!(door.port(), 0, "the socket tells the port that was chosen");
    assert_ne!(here.local_addr().port(), other.local_addr().port(), "two sockets with the same port");

    a_taken_port_is_refused(server, there.local_addr());
    there_and_back(&here, &there, door).await;
    a_datagram_that_is_cut_says_so(&here, &there, door).await;
    a_dropped_receive_loses_nothing(&here, &there, door).await;
    too_long_is_refused(&here, &there, door).await;
    a_connected_socket_hears_only_its_peer(&here, &other, &there, door).await;
    what_is_no_group_cannot_be_joined(&here, address);
    a_dropped_socket_gives_its_port_back(server, there);
}

fn a_taken_port_is_refused<S: Stack>(server: &S, taken: SocketAddr) {
    match server.bind(taken) {
        Ok(_) => panic!("two sockets on {taken}"),
        Err(error) => assert_eq!(Error::kind(&error), ErrorKind::AddressInUse),
    }
}

async fn there_and_back(here: &impl UdpSocket, there: &impl UdpSocket, door: SocketAddr) {
    for length in [0, 1, 2, 511, 1400] {
        let payload = vec![length as u8; length];
        let mut buffer = [0; 1500];
        let (sent, received) = join(here.send_to(&payload, door), there.recv_from(&mut buffer)).await;
        sent.expect("a datagram can be sent");
        let datagram = received.expect("a datagram arrives");
        assert_eq!((datagram.len, datagram.local.port()), (length, door.port()));
        // A stack above a host that does not tell the address gives the one it is bound to.
        let told = [any(door.ip()), door.ip()].contains(&datagram.local.ip());
        assert!(told, "{door} was reached at {}", datagram.local);
        assert_eq!(datagram.remote.port(), here.local_addr().port());
        assert_eq!(buffer[..length], payload);

        let (sent, received) = join(there.send_to(&payload, datagram.remote), here.recv_from(&mut buffer)).await;
        sent.expect("a datagram can be sent back");
        let answer = received.expect("the answer arrives");
        assert_eq!((answer.len, answer.remote), (length, door), "the answer comes from where the question went");
    }
}

async fn a_datagram_that_is_cut_says_so(here: &impl UdpSocket, there: &impl UdpSocket, door: SocketAddr) {
    here.send_to(&[1; 100], door).await.expect("a datagram can be sent");
    here.send_to(&[2; 10], door).await.expect("a datagram can be sent");
    let mut buffer = [0; 12];
    let first = there.recv_from(&mut buffer[..10]).await.expect("a datagram arrives");
    assert_eq!((first.len, buffer), (100, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]));
    let second = there.recv_from(&mut buffer).await.expect("a datagram arrives");
    assert_eq!((second.len, buffer[0]), (10, 2), "the rest of the first datagram is gone");
}

async fn a_dropped_receive_loses_nothing(here: &impl UdpSocket, there: &impl UdpSocket, door: SocketAddr) {
    let mut buffer = [0; 10];
    assert!(poll_once(there.recv_from(&mut buffer)).await.is_none(), "nothing was sent");
    here.send_to(b"kept", door).await.expect("a datagram can be sent");
    let datagram = there.recv_from(&mut buffer).await.expect("a datagram arrives");
    assert_eq!(&buffer[..datagram.len], b"kept");
}

async fn too_long_is_refused(here: &impl UdpSocket, there: &impl UdpSocket, door: SocketAddr) {
    match here.send_to(&vec![0; 65_536], door).await {
        Ok(()) => panic!("a datagram that no IP packet can hold was sent"),
        Err(error) => assert_eq!(Error::kind(&error), ErrorKind::MessageTooLong),
    }
    here.send_to(b"fine", door).await.expect("the socket works after a refusal");
    let mut buffer = [0; 10];
    let datagram = there.recv_from(&mut buffer).await.expect("a datagram arrives");
    assert_eq!(&buffer[..datagram.len], b"fine");
}

async fn a_connected_socket_hears_only_its_peer<U: UdpSocket>(
    here: &U,
    other: &U,
    there: &impl UdpSocket,
    door: SocketAddr,
) {
    let mut buffer = [0; 10];
    here.send_to(b"who", door).await.expect("a datagram can be sent");
    let peer = there.recv_from(&mut buffer).await.expect("a datagram arrives").remote;
    there.connect(Some(peer)).expect("a socket can be connected");
    other.send_to(b"stranger", door).await.expect("a datagram can be sent");
    here.send_to(b"peer", door).await.expect("a datagram can be sent");
    let heard = there.recv_from(&mut buffer).await.expect("a datagram arrives");
    assert_eq!((heard.remote, &buffer[..4]), (peer, &b"peer"[..]));
    there.connect(None).expect("a socket can be disconnected");
    other.send_to(b"again", door).await.expect("a datagram can be sent");
    let heard = there.recv_from(&mut buffer).await.expect("a datagram arrives");
    assert_eq!((heard.remote.port(), &buffer[..5]), (other.local_addr().port(), &b"again"[..]));
}

fn what_is_no_group_cannot_be_joined(socket: &impl UdpSocket, address: IpAddr) {
    let error = socket.join_multicast(address).expect_err("a unicast address is no group");
    assert_eq!(Error::kind(&error), ErrorKind::AddressNotAvailable);
}

fn a_dropped_socket_gives_its_port_back<S: Stack>(server: &S, socket: S::UdpSocket) {
    let local = socket.local_addr();
    drop(socket);
    drop(server.bind(local).expect("the port is free again"));
}
