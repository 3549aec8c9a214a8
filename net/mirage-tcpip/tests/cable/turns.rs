//! UDP and TCP take turns at a device that is always full.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant};
use mirage_net::{Net as _, Outgoing, Transmit as _};
use mirage_stack::{ListenOptions, Stack as _, TcpOptions};
use mirage_tcpip::{Came, Stack};
use mirage_vnetif::CableEnd;

use crate::{at, stack};

#[test]
fn who_sends_without_end_waits_for_the_stack_to_be_polled() {
    // More room than anybody may use up at once.
    let (one, other) = mirage_vnetif::cable(1500, 1024);
    let (here, there) = (stack(one, 1), stack(other, 2));
    let mut cx = Context::from_waker(Waker::noop());
    let poll = |micros| {
        for stack in [&here, &there, &here, &there] {
            stack.poll(Instant::from_micros(micros), &mut Context::from_waker(Waker::noop())).expect("the cable is in");
        }
    };
    let socket = (&here).bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)).expect("a port is free");
    let reader = (&there).bind(at(9)).expect("the port is free");
    assert!(socket.poll_send(&mut cx, None, b"who has it?", at(9)).is_ready());
    poll(1);
    assert!(reader.poll_recv(&mut cx, &mut [0; 16]).is_ready());
    for round in 0..3 {
        let mut sent = 0_u32;
        while socket.poll_send(&mut cx, None, &sent.to_be_bytes(), at(9)).is_ready() {
            sent += 1;
            assert!(sent < 1000, "it never waits");
        }
        // As many as one poll may send, and a full queue.
        assert_eq!(sent, 64 + 64, "round {round}");
        for micros in 0..10 {
            poll(10 * (round + 1) + micros);
            let mut number = [0; 4];
            while reader.poll_recv(&mut cx, &mut number).is_ready() {}
        }
    }
}

#[test]
fn a_flood_of_frames_that_a_device_lends_together_is_taken_in_by_the_budget() {
    let (one, mut other) = mirage_vnetif::cable(1500, 256);
    let here = stack(one, 1);
    let (_, transmit) = other.split();
    // Nobody's, long and short ones mixed.
    for number in 0..200 {
        let len = if number % 50 == 20 { 60 } else { 1514 };
        transmit.send(Outgoing::new(len), |frame| frame.put(&vec![0xee; len])).expect("there is room");
    }
    transmit.flush();
    let mut cx = Context::from_waker(Waker::noop());
    let mut taken = 0;
    for (came, most) in [(Came::Some, 64), (Came::Some, 64), (Came::Some, 64), (Came::All, 8), (Came::Nothing, 0)] {
        assert_eq!(here.poll_ingress(Instant::from_micros(1), &mut cx), Ok(came));
        taken += most;
        assert_eq!(here.device_stats().rx_frames, taken);
    }
}

#[test]
fn datagrams_without_end_do_not_stop_a_connection() {
    let (one, other) = mirage_vnetif::cable(1500, 4);
    let (here, there) = (stack(one, 1), stack(other, 2));
    let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let mut cx = Context::from_waker(Waker::noop());
    let mut now = 0;
    let turn = |now: &mut u64| {
        *now += 100;
        for stack in [&here, &there] {
            stack.poll(Instant::from_micros(*now), &mut Context::from_waker(Waker::noop())).expect("the cable is in");
        }
    };
    let mut listener = (&there).listen(at(80), ListenOptions::default()).expect("the port is free");
    let mut accepted = None;
    let mut stream = {
        let stack = &here;
        let mut opening = pin!(stack.connect(at(80), TcpOptions::default()));
        loop {
            if let Poll::Ready(stream) = listener.poll_accept(&mut cx) {
                accepted = Some(stream.expect("it is open"));
            }
            if let Poll::Ready(stream) = opening.as_mut().poll(&mut cx) {
                break stream.expect("somebody listens");
            }
            turn(&mut now);
        }
    };
    let socket = (&here).bind(any).expect("a port is free");
    let (mut read, mut buffer) = (0, vec![0; 65_536]);
    for _ in 0..1000 {
        // As many datagrams as the socket takes: the device never has room for all.
        while socket.poll_send(&mut cx, None, &[1; 1400], at(9)).is_ready() {}
        let _written = stream.poll_write(&mut cx, &[2; 1400]);
        turn(&mut now);
        if accepted.is_none()
            && let Poll::Ready(stream) = listener.poll_accept(&mut cx)
        {
            accepted = Some(stream.expect("it is open"));
        }
        if let Some(Poll::Ready(Ok(len))) = accepted.as_mut().map(|stream| stream.poll_read(&mut cx, &mut buffer)) {
            read += len;
        }
    }
    assert!(read > 100 * 1400, "only {read} bytes came through the datagrams");
}

#[test]
fn who_was_paused_hears_what_came_before_giving_up() {
    let (one, other) = mirage_vnetif::cable(1500, 64);
    let (here, there) = (stack(one, 1), stack(other, 2));
    let mut cx = Context::from_waker(Waker::noop());
    let poll = |stack: &Stack<'_, CableEnd>, now| {
        stack.poll(now, &mut Context::from_waker(Waker::noop())).expect("the cable is in");
    };
    let _listener = (&there).listen(at(80), ListenOptions::default()).expect("the port is free");
    let mut now = Instant::ZERO;
    let mut stream = {
        let stack = &here;
        let mut opening = pin!(stack.connect(at(80), TcpOptions::default()));
        loop {
            now = now.saturating_add(Duration::from_micros(100));
            if let Poll::Ready(stream) = opening.as_mut().poll(&mut cx) {
                break stream.expect("somebody listens");
            }
            poll(&here, now);
            poll(&there, now);
        }
    };
    assert!(stream.poll_write(&mut cx, &[2; 100]).is_ready());
    poll(&here, now);
    // The peer acknowledges at once or a little later; meanwhile our machine stands still for a day.
    for milliseconds in [0, 100] {
        poll(&there, now.saturating_add(Duration::from_millis(milliseconds)));
    }
    now = now.saturating_add(Duration::from_secs(86_400));
    poll(&here, now);
    assert!(stream.poll_read(&mut cx, &mut [0; 10]).is_pending(), "it was given up, and the answer lay at the door");
    assert!(stream.poll_write(&mut cx, &[2; 100]).is_ready());
}
