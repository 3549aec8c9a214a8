//! Datagrams between hosts.

use core::net::SocketAddr;

use lab::{Lab, s};
use mirage_stack::{Error, ErrorKind, Stack, UdpSocket as _};

/// Asks where nobody is.
async fn ask<S: Stack>(client: S, nobody: SocketAddr) {
    let any = "0.0.0.0:0".parse().expect("an address");
    let socket = client.bind(any).expect("a port is free");
    socket.connect(Some(nobody)).expect("a socket can be connected");
    for _ in 0..3 {
        socket.send_to(b"question", nobody).await.expect("it can be sent");
        let heard = socket.recv_from(&mut [0; 10]).await;
        assert_eq!(heard.err().map(|error| error.kind()), Some(ErrorKind::ConnectionRefused));
    }
}

#[test]
fn who_asks_nobody_hears_so() {
    let lab = Lab::new("who_asks_nobody_hears_so", 1);
    let (small, other, large) = (lab.small(1), lab.small(2), lab.host(3));
    lab.run(&[&small, &other, &large], s(10), async {
        ask(&small.stack, other.at(53)).await;
        ask(&small.stack, large.at(53)).await;
        ask(&large.stack, small.at(53)).await;
    });
}
