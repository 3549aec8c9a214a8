//! Connections come and go; nothing may be left of them.

use core::cell::Cell;
use core::future::Future;
use core::net::SocketAddr;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use lab::{Dice, Lab, Tasks, ms, s};
use mirage_clock::{Duration, Instant};
use mirage_flow::{Direction, Read, Shutdown, Write};
use mirage_stack::{ErrorKind, Keepalive, ListenOptions, Stack as _, TcpListener as _, TcpOptions, TcpStream as _};
use mirage_tcpip::{Config, Sizes, Stack, Storage, TcpListener, TcpStream};
use mirage_vnetif::{CableEnd, cable};

/// Two stacks on a cable, polled by hand: the fastest way to make connections.
struct Pair {
    client: Stack<'static, CableEnd>,
    server: Stack<'static, CableEnd>,
    now: Cell<Instant>,
}

type Stream<'p> = TcpStream<'p, 'static>;

impl Pair {
    fn new() -> Self {
        let (one, other) = cable(1500, 64);
        let sizes = Sizes { connections: 16, half_open: 16, time_wait: 8192, blocks: 64, ..Sizes::default() };
        let [client, server] = [(one, "10.0.0.1/24"), (other, "10.0.0.2/24")].map(|(device, address)| {
            let stack = Stack::new(device, Config::default(), Storage::allocate(sizes), &mut Dice(5));
            stack.add_address(address.parse().expect("an address")).expect("there is room");
            stack
        });
        Self { client, server, now: Cell::default() }
    }

    /// Lets time pass.
    fn pass(&self, span: Duration) {
        self.now.set(self.now.get() + span);
        self.turn();
    }

    fn turn(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        self.client.poll(self.now.get(), &mut cx).expect("the cable is there");
        self.server.poll(self.now.get(), &mut cx).expect("the cable is there");
    }

    /// Runs both stacks until `future` is ready, which has to be soon.
    fn finish<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        for _ in 0..16 {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            self.turn();
        }
        panic!("somebody waits for something that does not happen at once");
    }

    fn listen(&self) -> TcpListener<'_, 'static> {
        (&self.server).listen(DOOR, ListenOptions::default()).expect("the port is free")
    }

    fn open<'p>(&'p self, listener: &mut TcpListener<'p, 'static>) -> (Stream<'p>, Stream<'p>) {
        let here = self.finish((&self.client).connect(DOOR, TcpOptions::default())).expect("the server listens");
        let there = self.finish(listener.accept()).expect("the listener works");
        (here, there)
    }

    /// Lets all memories pass and asserts that nothing is left.
    fn assert_empty(&self) {
        for _ in 0..40 {
            self.pass(s(3));
        }
        for stack in [&self.client, &self.server] {
            let tcp = stack.counters().tcp;
            let left = (tcp.connections, tcp.half_open, tcp.time_wait, tcp.blocks_in_use);
            assert_eq!(left, (0, 0, 0, 0), "something is left: {tcp:?}");
            assert_eq!(tcp.retransmits, 0, "a cable loses nothing");
        }
    }
}

const DOOR: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 2)), 80);

/// Opens and closes `count` connections one after the other, ten milliseconds of virtual time each, so that ports and
/// the memory of closed connections go round many times.
fn churn(count: u32, mut close: impl FnMut(&Pair, u32, Stream<'_>, Stream<'_>)) {
    let pair = Pair::new();
    let mut listener = pair.listen();
    for number in 0..count {
        let (here, there) = pair.open(&mut listener);
        close(&pair, number, here, there);
        pair.pass(ms(10));
    }
    let tcp = pair.client.counters().tcp;
    assert_eq!(tcp.opened, u64::from(count));
    assert_eq!(tcp.time_wait_evicted, 0);
    pair.assert_empty();
}

#[test]
fn a_million_connections_come_and_go() {
    churn(1_000_000, |pair, number, mut here, mut there| {
        let mut word = [0; 4];
        assert_eq!(pair.finish(here.write(b"ping")), Ok(4));
        assert_eq!(pair.finish(there.read(&mut word)), Ok(4));
        // Either side closes first.
        let (mut first, mut second) = if number % 2 == 0 { (here, there) } else { (there, here) };
        pair.finish(first.shutdown(Direction::Write)).expect("the connection holds");
        assert_eq!(pair.finish(second.read(&mut word)), Ok(0));
        drop(second);
        assert_eq!(pair.finish(first.read(&mut word)), Ok(0));
    });
}

#[test]
fn a_hundred_thousand_connections_are_broken_off() {
    churn(100_000, |pair, number, mut here, there| {
        assert_eq!(pair.finish(here.write(b"ping")), Ok(4));
        let (first, mut second) = if number % 2 == 0 {
            (here, there)
        } else {
            pair.turn();
            (there, here)
        };
        first.abort();
        let mut word = [0; 4];
        let mut end = pair.finish(second.read(&mut word));
        if end == Ok(4) {
            end = pair.finish(second.read(&mut word));
        }
        assert_eq!(end, Err(ErrorKind::ConnectionReset));
    });
}

#[test]
fn a_hundred_thousand_connections_are_closed_by_both_at_once() {
    churn(100_000, |pair, number, mut here, mut there| {
        if number % 2 == 0 {
            drop((here, there));
            return;
        }
        pair.finish(async {
            here.shutdown(Direction::Write).await.expect("the connection holds");
            there.shutdown(Direction::Write).await.expect("the connection holds");
        });
        assert_eq!(pair.finish(here.read(&mut [0])), Ok(0));
        assert_eq!(pair.finish(there.read(&mut [0])), Ok(0));
    });
}

#[test]
fn a_hundred_thousand_attempts_are_refused() {
    let pair = Pair::new();
    for _ in 0..100_000 {
        let refused = pair.finish((&pair.client).connect(DOOR, TcpOptions::default()));
        assert_eq!(refused.err(), Some(ErrorKind::ConnectionRefused));
        pair.pass(ms(10));
    }
    pair.assert_empty();
}

/// Clients that are switched off in the middle: keepalive finds those whose connections are idle, the user timeout
/// those that are being sent to.
#[test]
fn clients_that_vanish_are_cleared_away() {
    let lab = Lab::new("clients_that_vanish_are_cleared_away", 1);
    let server = lab.host(1);
    let keepalive = Some(Keepalive { after: s(1), interval: s(1), probes: 3 });
    let options = |tcp| ListenOptions { tcp, ..ListenOptions::default() };
    let mut asking = server.listen_with(80, options(TcpOptions { keepalive, ..TcpOptions::default() }));
    let mut sending =
        server.listen_with(81, options(TcpOptions { user_timeout: Some(s(10)), ..TcpOptions::default() }));
    for round in 2..12 {
        let client = lab.host(round);
        let accepted = lab.run(&[&server, &client], s(10), async {
            let (mut held, mut accepted) = (Vec::new(), Vec::new());
            for _ in 0..50 {
                for listener in [&mut asking, &mut sending] {
                    let door = server.at(listener.local_addr().port());
                    held.push(client.connect(door).await.expect("the server listens"));
                    accepted.push(listener.accept().await.expect("the listener works"));
                }
            }
            accepted
        });
        drop(client);
        assert_eq!(server.tcp().connections, 100);
        let mut tasks = Tasks::default();
        for (number, mut stream) in accepted.into_iter().enumerate() {
            let (lab, asked) = (&lab, number % 2 == 0);
            tasks.add(format!("connection {number}"), async move {
                let end = async {
                    if !asked {
                        stream.write_all(&[0; 10_000]).await?;
                    }
                    stream.read(&mut [0]).await
                };
                let (took, end) = lab.timed(end).await;
                assert_eq!(end, Err(ErrorKind::TimedOut));
                let (least, most) = if asked { (s(3), s(4)) } else { (s(10), s(11)) };
                assert!((least..=most).contains(&took), "connection {number} ended after {took:?}");
            });
        }
        lab.run_all(&[&server], s(60), tasks);
        server.assert_empty();
    }
}
