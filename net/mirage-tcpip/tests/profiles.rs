//! A stack with as little of TCP as there can be, and one with all of it.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::Instant;
use mirage_random::{EntropyError, EntropySource, SeededGenerator};
use mirage_stack::{ListenOptions, Stack as _, TcpOptions};
use mirage_tcpip::{Config, Heap, Ipv4Cidr, Profile, Sizes, Small, Stack, Standard, Storage, TcpStream};
use mirage_vnetif::CableEnd;

/// Varied enough for the generator's test of its source, and the same each time.
struct Counting(u64);

impl EntropySource for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

fn stack<P: Profile>(device: CableEnd, last: u8) -> Stack<'static, CableEnd, P> {
    let mut random = SeededGenerator::new(&mut Counting(last.into())).expect("the source is no constant");
    let stack = Stack::new(device, Config::default(), Storage::build(Sizes::default(), &mut Heap), &mut random);
    stack.add_address(Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, last), 24).expect("a prefix")).expect("there is room");
    stack
}

/// Writes what it can of `left` bytes and reads what is there; gives how much that was.
fn work<P: Profile>(stream: &mut TcpStream<'_, '_, P>, left: &mut usize, cx: &mut Context<'_>) -> usize {
    let bytes = [7; 5000];
    if let Poll::Ready(written) = stream.poll_write(cx, &bytes[..bytes.len().min(*left)]) {
        *left -= written.expect("it is open");
    }
    match stream.poll_read(cx, &mut [0; 5000]) {
        Poll::Ready(read) => read.expect("it is open"),
        Poll::Pending => 0,
    }
}

/// Opens a connection from one to the other, and sends a megabyte each way.
fn talk<A: Profile, B: Profile>() {
    const BYTES: usize = 1 << 20;
    let (one, other) = mirage_vnetif::cable(1500, 8);
    let (here, there) = (stack::<A>(one, 1), stack::<B>(other, 2));
    let at = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 80);
    let mut cx = Context::from_waker(Waker::noop());
    let mut now = 0;
    let mut turn = || {
        now += 100;
        let mut cx = Context::from_waker(Waker::noop());
        here.poll(Instant::from_micros(now), &mut cx).expect("the cable is in");
        there.poll(Instant::from_micros(now), &mut cx).expect("the cable is in");
    };
    let mut listener = (&there).listen(at, ListenOptions::default()).expect("the port is free");
    let mut opened = {
        let stack = &here;
        let mut opening = pin!(stack.connect(at, TcpOptions::default()));
        loop {
            if let Poll::Ready(stream) = opening.as_mut().poll(&mut cx) {
                break stream.expect("somebody listens");
            }
            turn();
        }
    };
    let mut accepted = loop {
        if let Poll::Ready(stream) = listener.poll_accept(&mut cx) {
            break stream.expect("it is open");
        }
        turn();
    };
    let (mut left, mut came) = ([BYTES; 2], [0; 2]);
    for _ in 0..100_000 {
        came[0] += work(&mut opened, &mut left[0], &mut cx);
        came[1] += work(&mut accepted, &mut left[1], &mut cx);
        turn();
        if came == [BYTES; 2] {
            return;
        }
    }
    panic!("only {came:?} of {BYTES} bytes came");
}

#[test]
fn each_profile_talks_with_each() {
    talk::<Small, Standard>();
    talk::<Standard, Small>();
    talk::<Small, Small>();
}
