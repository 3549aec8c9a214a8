//! Connections that come and go between two stacks on a cable.

use core::cell::Cell;
use core::future::Future;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant};
use mirage_flow::{Direction, Read as _, Shutdown as _, Write as _};
use mirage_stack::{ErrorKind, ListenOptions, Stack, TcpListener as _, TcpOptions, TcpStream as _};

use crate::{Polled, ms};

/// Two stacks on a cable, polled by hand: the fastest way to make connections.
pub struct Pair<S> {
    client: S,
    server: S,
    now: Cell<Instant>,
}

impl<S: Stack<Error = ErrorKind> + Polled> Pair<S> {
    /// Two stacks; `server` is 10.0.0.2.
    pub fn new(client: S, server: S) -> Self {
        Self { client, server, now: Cell::default() }
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now.get()
    }

    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        self.now.set(self.now.get() + span);
        self.turn();
    }

    /// Polls both once.
    pub fn turn(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        self.client.poll(self.now.get(), &mut cx);
        self.server.poll(self.now.get(), &mut cx);
    }

    /// Runs both stacks until `future` is ready, which has to be soon.
    pub fn finish<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        for _ in 0..16 {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            self.turn();
        }
        panic!("somebody waits for something that does not happen at once");
    }

    /// The server listens.
    pub fn listen(&self) -> S::TcpListener {
        self.server.listen(DOOR, ListenOptions::default()).expect("the port is free")
    }

    /// A connection, from both ends.
    pub fn open(&self, listener: &mut S::TcpListener) -> (S::TcpStream, S::TcpStream) {
        let here = self.finish(self.client.connect(DOOR, TcpOptions::default())).expect("the server listens");
        let there = self.finish(listener.accept()).expect("the listener works");
        (here, there)
    }

    /// Opens and closes `count` connections one after the other, ten milliseconds of virtual time each, so that ports, slots and
    /// the memory of closed connections go round many times.
    fn churn(&self, count: u32, mut close: impl FnMut(u32, S::TcpStream, S::TcpStream)) {
        let mut listener = self.listen();
        for number in 0..count {
            let (here, there) = self.open(&mut listener);
            close(number, here, there);
            self.pass(ms(10));
        }
    }

    /// `count` connections on which a word is said, and which either side closes first.
    pub fn come_and_go(&self, count: u32) {
        self.churn(count, |number, mut here, mut there| {
            let mut word = [0; 4];
            assert_eq!(self.finish(here.write(b"ping")), Ok(4));
            assert_eq!(self.finish(there.read(&mut word)), Ok(4));
            let (mut first, mut second) = if number % 2 == 0 { (here, there) } else { (there, here) };
            self.finish(first.shutdown(Direction::Write)).expect("the connection holds");
            assert_eq!(self.finish(second.read(&mut word)), Ok(0));
            drop(second);
            assert_eq!(self.finish(first.read(&mut word)), Ok(0));
        });
    }

    /// `count` connections that either side breaks off.
    pub fn break_off(&self, count: u32) {
        self.churn(count, |number, mut here, there| {
            assert_eq!(self.finish(here.write(b"ping")), Ok(4));
            let (first, mut second) = if number % 2 == 0 {
                (here, there)
            } else {
                self.turn();
                (there, here)
            };
            first.abort();
            let mut word = [0; 4];
            let mut end = self.finish(second.read(&mut word));
            if end == Ok(4) {
                end = self.finish(second.read(&mut word));
            }
            assert_eq!(end, Err(ErrorKind::ConnectionReset));
        });
    }

    /// `count` connections that both sides close at once.
    pub fn close_by_both(&self, count: u32) {
        self.churn(count, |number, mut here, mut there| {
            if number % 2 == 0 {
                drop((here, there));
                return;
            }
            self.finish(async {
                here.shutdown(Direction::Write).await.expect("the connection holds");
                there.shutdown(Direction::Write).await.expect("the connection holds");
            });
            assert_eq!(self.finish(here.read(&mut [0])), Ok(0));
            assert_eq!(self.finish(there.read(&mut [0])), Ok(0));
        });
    }

    /// `count` attempts to connect to where nobody listens.
    pub fn refuse(&self, count: u32) {
        for _ in 0..count {
            let refused = self.finish(self.client.connect(DOOR, TcpOptions::default()));
            assert_eq!(refused.err(), Some(ErrorKind::ConnectionRefused));
            self.pass(ms(10));
        }
    }
}

const DOOR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 80);
