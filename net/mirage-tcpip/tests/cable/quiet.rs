//! A stack that nothing happened to for a while, so that its layers below TCP are no longer asked.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::{Context, Poll, Waker};

use mirage_clock::Instant;
use mirage_net::{Net as _, Outgoing, Receive as _, Transmit as _};
use mirage_stack::Stack as _;
use mirage_tcpip::Stack;
use mirage_vnetif::CableEnd;

use crate::stack;

/// Polls it until nothing is due any more, and then has been so for a few polls; says when that is.
fn grow_quiet(stack: &Stack<'static, CableEnd>) -> Instant {
    let mut cx = Context::from_waker(Waker::noop());
    let (mut now, mut quiet) = (Instant::from_micros(1_000_000), 0);
    for _ in 0..100 {
        match stack.poll(now, &mut cx).expect("the cable is in").next {
            Some(next) => (now, quiet) = (next, 0),
            None if quiet < 3 => quiet += 1,
            None => return now,
        }
    }
    panic!("something is always due");
}

/// What the other end of the cable has received.
fn received(end: &mut CableEnd) -> Vec<Vec<u8>> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut frames = Vec::new();
    while let Poll::Ready(Ok(frame)) = end.split().0.poll_frame(&mut cx, |frame| frame.bytes.to_vec()) {
        frames.push(frame);
    }
    frames
}

#[test]
fn a_fragment_that_comes_alone_is_waited_for_and_no_longer() {
    let (mut one, mut other) = mirage_vnetif::cable(1500, 64);
    let mac = one.split().1.mac();
    let here = stack(one, 1);
    let now = grow_quiet(&here);
    let mut header = [0x45, 0, 0, 28, 0, 7, 0x20, 0, 64, 17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1];
    let checksum = mirage_checksum::checksum(&header);
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    let frame = [&mac.octets()[..], &[2, 0, 0, 0, 0, 9], &[8, 0], &header, &[0; 8]].concat();
    let transmit = other.split().1;
    transmit.send(Outgoing::new(frame.len()), |writer| writer.put(&frame)).expect("there is room");
    transmit.flush();
    let progress = here.poll(now, &mut Context::from_waker(Waker::noop())).expect("the cable is in");
    assert!(progress.next.is_some_and(|next| next > now), "{progress:?}");
}

#[test]
fn a_datagram_for_a_new_neighbour_has_it_asked_for() {
    let (one, mut other) = mirage_vnetif::cable(1500, 64);
    let here = stack(one, 1);
    let socket = (&here).bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7)).expect("the port is free");
    let now = grow_quiet(&here);
    let mut cx = Context::from_waker(Waker::noop());
    received(&mut other);
    let there = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9)), 7);
    let Poll::Ready(Ok(())) = socket.poll_send(&mut cx, None, b"hello", there) else { panic!("there is room") };
    here.poll(now, &mut cx).expect("the cable is in");
    let frames = received(&mut other);
    assert!(frames.iter().any(|frame| frame[12..14] == [8, 6]), "{frames:?}");
}
