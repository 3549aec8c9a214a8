//! A stack with as little of TCP as there can be, and one with all of it.

use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::Instant;
use mirage_stack::{ListenOptions, Stack as _, TcpOptions};
use mirage_tcpip::{Profile, Small, Standard, TcpStream};

use crate::{at, stack_of};

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
    let (here, there) = (stack_of::<_, A>(one, 1), stack_of::<_, B>(other, 2));
    let mut cx = Context::from_waker(Waker::noop());
    let mut now = 0;
    let mut turn = || {
        now += 100;
        let mut cx = Context::from_waker(Waker::noop());
        here.poll(Instant::from_micros(now), &mut cx).expect("the cable is in");
        there.poll(Instant::from_micros(now), &mut cx).expect("the cable is in");
    };
    let mut listener = (&there).listen(at(80), ListenOptions::default()).expect("the port is free");
    let mut opened = {
        let stack = &here;
        let mut opening = pin!(stack.connect(at(80), TcpOptions::default()));
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
