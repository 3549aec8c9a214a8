//! The host's sockets through the stack interface, on the loopback.

#![allow(clippy::std_instead_of_core, reason = "std is there")]

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Monotonic};
use mirage_stack::flow::{Direction, Read, ReadReady, Shutdown, Split, Write, WriteReady};
use mirage_stack::{Error, ErrorKind, Keepalive, ListenOptions, Stack, TcpListener, TcpOptions, TcpStream, UdpSocket};
use mirage_stack_unix::{HostError, HostStack};
use mirage_unix::{MonotonicClock, Reactor};

fn run<F: Future>(test: impl FnOnce(HostStack) -> F) -> F::Output {
    let reactor = Reactor::new().expect("a reactor");
    let mut future = pin!(test(HostStack::new(&reactor)));
    let limit = MonotonicClock.now() + Duration::from_secs(20);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        assert!(MonotonicClock.now() < limit, "the test hangs");
        reactor.wait(Some(limit)).expect("the kernel waits");
    }
}

/// Both at once.
async fn join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut left, mut right) = (None, None);
    poll_fn(|cx| {
        if left.is_none()
            && let Poll::Ready(output) = a.as_mut().poll(cx)
        {
            left = Some(output);
        }
        if right.is_none()
            && let Poll::Ready(output) = b.as_mut().poll(cx)
        {
            right = Some(output);
        }
        if left.is_some() && right.is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    (left.expect("ready"), right.expect("ready"))
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn pair(stack: &HostStack) -> (mirage_stack_unix::TcpStream, mirage_stack_unix::TcpStream) {
    let mut listener = stack.listen(loopback(), ListenOptions::default()).expect("listening");
    let (client, server) = join(stack.connect(listener.local_addr(), TcpOptions::default()), listener.accept()).await;
    (client.expect("connected"), server.expect("accepted"))
}

async fn read_all(stream: &mut impl Read<Error = HostError>) -> Result<Vec<u8>, HostError> {
    let mut all = Vec::new();
    let mut buffer = [0; 10_000];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(all),
            len => all.extend_from_slice(&buffer[..len]),
        }
    }
}

#[test]
fn the_hosts_stack_passes_the_exam() {
    run(async |stack: HostStack| mirage_stack::testing::examine(&stack, &stack, loopback().ip()).await);
}

#[test]
fn megabytes_go_both_ways_at_once_and_each_way_ends_on_its_own() {
    run(async |stack: HostStack| {
        let (mut client, mut server) = pair(&stack).await;
        let data: Vec<u8> = (0..3_000_000_u32).map(|i| (i / 7) as u8).collect();
        let (mut client_reader, mut client_writer) = client.split();
        let (mut server_reader, mut server_writer) = server.split();
        let send = async |writer: &mut mirage_stack_unix::Writer<'_>| {
            writer.write_all(&data).await.expect("sent");
            writer.shutdown(Direction::Write).await.expect("ended");
        };
        let ((from_server, from_client), ((), ())) = join(
            join(read_all(&mut client_reader), read_all(&mut server_reader)),
            join(send(&mut client_writer), send(&mut server_writer)),
        )
        .await;
        assert!(from_server.expect("read") == data);
        assert!(from_client.expect("read") == data);
    });
}

#[test]
fn after_half_a_close_the_other_half_still_carries() {
    run(async |stack: HostStack| {
        let (mut client, mut server) = pair(&stack).await;
        client.shutdown(Direction::Write).await.expect("ended");
        client.shutdown(Direction::Write).await.expect("again is no error");
        assert_eq!(read_all(&mut server).await.expect("read"), b"");
        server.write_all(b"late").await.expect("sent");
        drop(server);
        assert_eq!(read_all(&mut client).await.expect("read"), b"late");
        let error = client.write(b"x").await.expect_err("ended");
        assert_eq!(Error::kind(&error), ErrorKind::Closed);
    });
}

#[test]
fn what_was_written_arrives_though_the_writer_had_unread_bytes_when_it_was_dropped() {
    run(async |stack: HostStack| {
        let (mut client, mut server) = pair(&stack).await;
        client.write_all(&[1; 50_000]).await.expect("sent");
        while !server.read_ready().expect("asked") {
            poll_fn(|_| Poll::Ready(())).await;
        }
        server.write_all(b"goodbye").await.expect("sent");
        drop(server);
        assert_eq!(read_all(&mut client).await.expect("no reset"), b"goodbye");
    });
}

#[test]
fn an_aborted_connection_is_reset() {
    run(async |stack: HostStack| {
        let (client, mut server) = pair(&stack).await;
        client.abort();
        let error = read_all(&mut server).await.expect_err("reset");
        assert_eq!(Error::kind(&error), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_read_that_was_given_up_ends_at_once() {
    run(async |stack: HostStack| {
        let (mut client, _server) = pair(&stack).await;
        assert!(!client.read_ready().expect("asked"));
        assert!(client.write_ready().expect("asked"));
        client.shutdown(Direction::Read).await.expect("ended");
        assert!(client.read_ready().expect("asked"));
        assert_eq!(client.read(&mut [0; 4]).await.expect("ended"), 0);
    });
}

#[test]
fn nobody_listens_and_a_taken_port_are_told_apart() {
    run(async |stack: HostStack| {
        let listener = stack.listen(loopback(), ListenOptions::default()).expect("listening");
        let address = listener.local_addr();
        let error = stack.listen(address, ListenOptions::default()).expect_err("taken");
        assert_eq!(Error::kind(&error), ErrorKind::AddressInUse);
        drop(listener);
        let error = stack.connect(address, TcpOptions::default()).await.expect_err("nobody");
        assert_eq!(Error::kind(&error), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn options_are_taken_and_ends_are_known() {
    run(async |stack: HostStack| {
        let keepalive =
            Keepalive { after: Duration::from_millis(1), interval: Duration::from_secs(75), probes: u8::MAX };
        let options =
            TcpOptions { keepalive: Some(keepalive), nodelay: true, user_timeout: Some(Duration::from_secs(30)) };
        let mut listener = stack.listen(loopback(), ListenOptions { backlog: 1, tcp: options }).expect("listening");
        let (client, server) = join(stack.connect(listener.local_addr(), options), listener.accept()).await;
        let (mut client, server) = (client.expect("connected"), server.expect("accepted"));
        assert_eq!((client.local_addr(), client.remote_addr()), (server.remote_addr(), server.local_addr()));
        client.set_nodelay(false);
        client.set_keepalive(None);
        assert_eq!(stack.counters().tcp_connections, 2);
        drop((client, server));
        let counters = stack.counters();
        assert_eq!((counters.tcp_connections, counters.tcp_accepted, counters.tcp_opened), (0, 1, 1));
    });
}

#[test]
fn a_datagram_that_was_cut_tells_its_whole_length() {
    run(async |stack: HostStack| {
        let (one, two) = (stack.bind(loopback()).expect("bound"), stack.bind(loopback()).expect("bound"));
        assert_eq!(stack.counters().udp_sockets, 2);
        one.send_to(b"0123456789", two.local_addr()).await.expect("sent");
        let mut buffer = [0; 4];
        let datagram = two.recv_from(&mut buffer).await.expect("received");
        assert_eq!((datagram.len, datagram.remote, datagram.local), (10, one.local_addr(), two.local_addr()));
        assert_eq!(&buffer, b"0123");
    });
}

#[test]
fn a_connected_socket_hears_only_its_peer_until_it_is_let_go() {
    run(async |stack: HostStack| {
        let bound = || stack.bind(loopback()).expect("bound");
        let (server, friend, stranger) = (bound(), bound(), bound());
        let port = server.local_addr();
        server.connect(Some(friend.local_addr())).expect("connected");
        stranger.send_to(b"stranger", port).await.expect("sent");
        friend.send_to(b"friend", port).await.expect("sent");
        let mut buffer = [0; 16];
        let datagram = server.recv_from(&mut buffer).await.expect("received");
        assert_eq!(&buffer[..datagram.len], b"friend");
        server.connect(None).expect("let go");
        stranger.send_to(b"again", port).await.expect("sent");
        let datagram = server.recv_from(&mut buffer).await.expect("received");
        assert_eq!(&buffer[..datagram.len], b"again");
    });
}

#[test]
fn a_connected_socket_is_told_that_nobody_listens() {
    run(async |stack: HostStack| {
        let (socket, gone) = (stack.bind(loopback()).expect("bound"), stack.bind(loopback()).expect("bound"));
        let address = gone.local_addr();
        drop(gone);
        socket.connect(Some(address)).expect("connected");
        socket.send_to(b"anybody?", address).await.expect("sent");
        let error = socket.recv_from(&mut [0; 4]).await.expect_err("refused");
        assert_eq!(Error::kind(&error), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn too_long_a_datagram_and_the_wrong_version_are_refused() {
    run(async |stack: HostStack| {
        let socket = stack.bind(loopback()).expect("bound");
        let error = socket.send_to(&[0; 66_000], socket.local_addr()).await.expect_err("too long");
        assert_eq!(Error::kind(&error), ErrorKind::MessageTooLong);
        let v6 = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 9));
        let error = socket.send_to(b"x", v6).await.expect_err("wrong version");
        assert_eq!(Error::kind(&error), ErrorKind::Unsupported);
    });
}

#[test]
fn a_group_is_joined_twice_and_left_twice() {
    run(async |stack: HostStack| {
        let socket = stack.bind(loopback()).expect("bound");
        let group = "239.1.2.3".parse().expect("an address");
        socket.join_multicast(group).expect("joined");
        socket.join_multicast(group).expect("joined");
        socket.leave_multicast(group).expect("left");
        socket.leave_multicast(group).expect("left");
        let error = socket.leave_multicast(group).expect_err("not in it");
        assert_eq!(Error::kind(&error), ErrorKind::AddressNotAvailable);
        let error = socket.join_multicast("10.0.0.1".parse().expect("an address")).expect_err("no group");
        assert_eq!(Error::kind(&error), ErrorKind::AddressNotAvailable);
    });
}
