//! Connections come and go; nothing may be left of them.

use core::cell::Cell;
use core::future::Future;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use lab::{ms, s};
use mirage_clock::{Duration, Instant};
use mirage_flow::{Direction, Read, Shutdown, Write};
use mirage_stack::{ErrorKind, ListenOptions, Stack as _, TcpListener as _, TcpOptions, TcpStream as _};
use mirage_tiny::{Count, Sizes, Stack, Storage, TcpListener, TcpStream};
use mirage_vnetif::{CableEnd, cable};

/// Two stacks on a cable, polled by hand: the fastest way to make connections.
struct Pair {
    client: Stack<'static, CableEnd>,
    server: Stack<'static, CableEnd>,
    now: Cell<Instant>,
}

type Stream<'p> = TcpStream<'p, 'static>;

const DOOR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 80);

impl Pair {
    fn new() -> Self {
        let (one, other) = cable(1500, 64);
        let sizes = Sizes { connections: 16, buffer: 1_000, ..Sizes::default() };
        let [client, server] = [(one, "10.0.0.1/24", 1), (other, "10.0.0.2/24", 2)].map(|(device, address, secret)| {
            let stack = Stack::new(device, Storage::allocate(sizes), [secret; 16]);
            stack.set_address(address.parse().expect("an address"));
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
            let mut connections = None;
            stack.visit_counters(&mut |layer, name, value| {
                if (layer, name) == ("tcp", "connections") {
                    connections = Some(value);
                }
            });
            assert_eq!(connections, Some(0));
            assert_eq!(stack.counters().get(Count::Resent), 0, "a cable loses nothing");
        }
    }
}

/// Opens and closes `count` connections one after the other, ten milliseconds of virtual time each, so that ports and slots
/// go round many times.
fn churn(count: u32, mut close: impl FnMut(&Pair, u32, Stream<'_>, Stream<'_>)) {
    let pair = Pair::new();
    let mut listener = pair.listen();
    for number in 0..count {
        let (here, there) = pair.open(&mut listener);
        close(&pair, number, here, there);
        pair.pass(ms(10));
    }
    drop(listener);
    pair.assert_empty();
}

#[test]
fn a_hundred_thousand_connections_come_and_go() {
    churn(100_000, |pair, number, mut here, mut there| {
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
fn thirty_thousand_connections_are_broken_off() {
    churn(30_000, |pair, number, mut here, there| {
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
fn thirty_thousand_connections_are_closed_by_both_at_once() {
    churn(30_000, |pair, number, mut here, mut there| {
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
fn thirty_thousand_attempts_are_refused() {
    let pair = Pair::new();
    for _ in 0..30_000 {
        let refused = pair.finish((&pair.client).connect(DOOR, TcpOptions::default()));
        assert_eq!(refused.err(), Some(ErrorKind::ConnectionRefused));
        pair.pass(ms(10));
    }
    pair.assert_empty();
}

/// What has come before it was looked at has not been lost.
#[test]
fn a_host_that_was_not_polled_for_long_gives_nobody_up() {
    let pair = Pair::new();
    let mut listener = pair.listen();
    let (mut here, _there) = pair.open(&mut listener);
    assert_eq!(pair.finish(here.write(b"ping")), Ok(4));
    pair.turn();
    let mut cx = Context::from_waker(Waker::noop());
    pair.server.poll(pair.now.get() + ms(100), &mut cx).expect("the cable is there");
    pair.pass(s(500));
    assert_eq!(pair.client.counters().get(Count::Resent), 0);
    assert_eq!(pair.finish(here.write(b"ping")), Ok(4));
}

/// A task that waits for bytes hears when the other half says that nobody reads any more.
#[test]
fn a_reader_hears_that_nobody_reads() {
    use mirage_flow::Split as _;
    let pair = Pair::new();
    let mut listener = pair.listen();
    let (mut here, _there) = pair.open(&mut listener);
    let (mut reader, mut writer) = here.split();
    let mut buffer = [0];
    let mut read = pin!(reader.read(&mut buffer));
    let woken = alloc::sync::Arc::new(Flag::default());
    let waker = Waker::from(woken.clone());
    assert!(read.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    pair.finish(writer.shutdown(Direction::Both)).expect("the connection holds");
    assert!(woken.0.load(core::sync::atomic::Ordering::Relaxed), "the reader was woken");
    assert_eq!(read.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(0)));
}

#[derive(Default)]
struct Flag(core::sync::atomic::AtomicBool);

impl alloc::task::Wake for Flag {
    fn wake(self: alloc::sync::Arc<Self>) {
        self.0.store(true, core::sync::atomic::Ordering::Relaxed);
    }
}
