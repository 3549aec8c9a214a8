//! The exam for connections.

use core::net::{IpAddr, SocketAddr};

use embedded_io_async::{Read, Write};
use mirage_clock::Duration;
use mirage_flow::testing::{examine as examine_flow, examine_deaf_reader, examine_drop, join, poll_once};

use super::any;
use crate::{Error, ErrorKind, Keepalive, ListenOptions, Stack, TcpListener, TcpOptions, TcpStream};

/// The exam for connections: `client` reaches `server` at `address`; both may be the same stack.
///
/// # Panics
/// When a stack fails.
pub async fn examine_tcp<C: Stack, S: Stack>(client: &C, server: &S, address: IpAddr) {
    let mut listener =
        server.listen(SocketAddr::new(any(address), 0), ListenOptions::default()).expect("a free port can be had");
    let door = SocketAddr::new(address, listener.local_addr().port());
    assert_ne!(door.port(), 0, "the listener tells the port that was chosen");

    a_taken_port_is_refused(server, listener.local_addr());
    ends_know_each_other(client, &mut listener, door).await;
    the_flow_exams_pass(client, &mut listener, door).await;
    connections_wait_for_accept(client, &mut listener, door).await;
    a_dropped_accept_loses_no_connection(client, &mut listener, door).await;
    a_dropped_connect_harms_nobody(client, &mut listener, door).await;
    an_abort_is_told(client, &mut listener, door).await;
    drop(listener);
    nobody_listens(client, door).await;
}

/// A new connection and the same seen from the server.
async fn pair<C: Stack, L: TcpListener>(client: &C, listener: &mut L, door: SocketAddr) -> (C::TcpStream, L::Stream) {
    let (connected, accepted) = join(client.connect(door, TcpOptions::default()), listener.accept()).await;
    (connected.expect("the server listens"), accepted.expect("the listener works"))
}

fn a_taken_port_is_refused<S: Stack>(server: &S, taken: SocketAddr) {
    match server.listen(taken, ListenOptions::default()) {
        Ok(_) => panic!("two listeners on {taken}"),
        Err(error) => assert_eq!(Error::kind(&error), ErrorKind::AddressInUse),
    }
}

async fn ends_know_each_other<C: Stack, L>(client: &C, listener: &mut L, door: SocketAddr)
where
    L: TcpListener<Stream: TcpStream>,
{
    let (mut here, mut there) = pair(client, listener, door).await;
    assert_eq!(here.remote_addr(), door);
    assert_eq!(there.local_addr(), door);
    assert_eq!(there.remote_addr(), here.local_addr());
    assert_ne!(here.local_addr().port(), 0);
    let probes = Keepalive { after: Duration::from_secs(3600), interval: Duration::from_secs(60), probes: 3 };
    here.set_nodelay(true);
    here.set_keepalive(Some(probes));
    there.set_keepalive(None);
    there.set_nodelay(false);
    let mut answer = [0; 4];
    here.write_all(b"ping").await.expect("the connection is open");
    there.read_exact(&mut answer).await.expect("the connection is open");
    assert_eq!(&answer, b"ping");
}

async fn the_flow_exams_pass<C: Stack, L>(client: &C, listener: &mut L, door: SocketAddr)
where
    L: TcpListener<Stream: TcpStream>,
{
    let (here, there) = pair(client, listener, door).await;
    examine_flow(here, there).await;
    let (here, there) = pair(client, listener, door).await;
    examine_deaf_reader(here, there).await;
    let (here, there) = pair(client, listener, door).await;
    examine_drop(here, there).await;
    let (here, there) = pair(client, listener, door).await;
    examine_drop(there, here).await;
}

async fn connections_wait_for_accept<C: Stack, L>(client: &C, listener: &mut L, door: SocketAddr)
where
    L: TcpListener<Stream: TcpStream>,
{
    let mut first = client.connect(door, TcpOptions::default()).await.expect("there is room in the backlog");
    let mut second = client.connect(door, TcpOptions::default()).await.expect("there is room in the backlog");
    assert_ne!(first.local_addr(), second.local_addr(), "two connections with the same ends");
    first.write_all(b"1").await.expect("the connection is open");
    second.write_all(b"2").await.expect("the connection is open");
    for _ in 0..2 {
        let mut accepted = listener.accept().await.expect("a connection waits");
        let mut byte = [0];
        accepted.read_exact(&mut byte).await.expect("what was sent before accept is kept");
        let expected = if accepted.remote_addr() == first.local_addr() { b"1" } else { b"2" };
        assert_eq!(&byte, expected);
    }
}

async fn a_dropped_accept_loses_no_connection<C: Stack, L>(client: &C, listener: &mut L, door: SocketAddr)
where
    L: TcpListener<Stream: TcpStream>,
{
    assert!(poll_once(listener.accept()).await.is_none(), "nobody has connected");
    let (here, there) = pair(client, listener, door).await;
    assert_eq!(there.remote_addr(), here.local_addr());
}

async fn a_dropped_connect_harms_nobody<C: Stack, L>(client: &C, listener: &mut L, door: SocketAddr)
where
    L: TcpListener<Stream: TcpStream>,
{
    drop(poll_once(client.connect(door, TcpOptions::default())).await);
    let here = client.connect(door, TcpOptions::default()).await.expect("the server listens");
    // The attempt that was broken off may have come through the door before.
    for _ in 0..2 {
        let there = listener.accept().await.expect("the listener works");
        if there.remote_addr() == here.local_addr() {
            return;
        }
    }
    panic!("the connection after a dropped attempt is not accepted");
}

async fn an_abort_is_told<C: Stack, L>(client: &C, listener: &mut L, door: SocketAddr)
where
    L: TcpListener<Stream: TcpStream>,
{
    let (here, mut there) = pair(client, listener, door).await;
    here.abort();
    match there.read(&mut [0; 10]).await {
        Ok(count) => panic!("read {count} bytes of a connection that was broken off"),
        Err(error) => assert_eq!(Error::kind(&error), ErrorKind::ConnectionReset),
    }
}

async fn nobody_listens<C: Stack>(client: &C, door: SocketAddr) {
    match client.connect(door, TcpOptions::default()).await {
        Ok(_) => panic!("a connection to {door}, where nobody listens"),
        Err(error) => assert_eq!(Error::kind(&error), ErrorKind::ConnectionRefused),
    }
}
