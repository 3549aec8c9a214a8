//! Two devices of one machine, joined by a cable in memory.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "std is there")]

mod model;

use core::task::{Context, Poll};

use mirage_clock::{Duration, Instant};
use mirage_net::testing::{Wakes, examine_disconnected, examine_keeping, examine_pair};
use mirage_net::{Net, Outgoing, Receive, SendError, Transmit};
use mirage_net_solo5::{Nic, OpenError};
use mirage_solo5::Machine;
use model::Cable;

fn pair() -> (Machine<Cable>, Nic<Cable>, Nic<Cable>) {
    let machine = Machine::new(&model::boot());
    let left = Nic::open(&machine, "left").expect("it is there");
    let right = Nic::open(&machine, "right").expect("it is there");
    (machine, left, right)
}

fn send(nic: &mut Nic<Cable>, byte: u8) -> Result<(), SendError> {
    nic.split().1.send(Outgoing::new(60), |frame| frame.put(&[byte; 60]))
}

fn came(nic: &mut Nic<Cable>, wakes: &Wakes) -> Option<u8> {
    match nic.split().0.poll_frame(&mut Context::from_waker(wakes.waker()), |frame| frame.bytes[0]) {
        Poll::Ready(byte) => Some(byte.expect("connected")),
        Poll::Pending => None,
    }
}

#[test]
fn two_devices_on_a_long_cable_pass_the_exam() {
    model::room(usize::MAX);
    let (machine, mut left, mut right) = pair();
    let settle = || machine.wait(Some(Instant::ZERO));
    examine_pair(&mut left, &mut right, settle);
    assert_eq!(examine_keeping(&mut left, &mut right, settle), [0, 0], "frames are copied");
}

#[test]
fn two_devices_on_a_short_cable_pass_the_exam() {
    model::room(4);
    let (machine, mut left, mut right) = pair();
    examine_pair(&mut left, &mut right, || {
        model::pass(Duration::from_millis(1));
        machine.wait(Some(Instant::ZERO));
    });
}

#[test]
fn a_device_whose_other_end_is_gone_passes_the_exam() {
    let (_machine, mut left, _right) = pair();
    model::cut();
    examine_disconnected(&mut left);
}

#[test]
fn devices_are_found_by_name_and_opened_once() {
    let (machine, mut left, mut right) = pair();
    assert_eq!(Nic::open(&machine, "left").err(), Some(OpenError::Busy));
    assert_eq!(Nic::open(&machine, "lef").err(), Some(OpenError::Absent));
    assert_eq!(Nic::open(&machine, "lefty").err(), Some(OpenError::Absent));
    assert_eq!(Nic::open(&machine, "").err(), Some(OpenError::Absent));
    assert_eq!(Nic::open(&machine, "data").err(), Some(OpenError::NotANetwork));
    assert_ne!(left.split().1.mac(), right.split().1.mac());
}

#[test]
fn a_frame_goes_out_with_send_alone() {
    let (_machine, mut left, mut right) = pair();
    send(&mut left, 7).expect("room");
    assert_eq!(came(&mut right, &Wakes::new()), Some(7));
    assert_eq!(model::writes(), 1);
}

#[test]
fn what_the_host_does_not_take_waits_in_order_and_costs_no_call_until_the_flush() {
    model::room(0);
    let (_machine, mut left, mut right) = pair();
    for byte in 1..=4 {
        send(&mut left, byte).expect("it may wait");
    }
    assert_eq!(model::writes(), 1, "a host that took nothing is left alone");
    assert_eq!(send(&mut left, 5), Err(SendError::Full));
    model::room(usize::MAX);
    left.split().1.flush();
    let wakes = Wakes::new();
    for byte in 1..=4 {
        assert_eq!(came(&mut right, &wakes), Some(byte));
    }
    assert_eq!(came(&mut right, &wakes), None);
    assert_eq!((left.stats().tx_frames, left.stats().tx_dropped), (4, 0));
}

#[test]
fn who_waits_for_room_is_woken_after_a_while_and_not_before() {
    model::room(0);
    let (machine, mut left, _right) = pair();
    while send(&mut left, 1).is_ok() {}
    let wakes = Wakes::new();
    let before = machine.now();
    assert!(left.split().1.poll_ready(&mut Context::from_waker(wakes.waker())).is_pending());
    machine.wait(Some(Instant::ZERO));
    assert_eq!(wakes.count(), 0);
    machine.wait(None);
    assert_eq!(wakes.count(), 1, "without a frame and without a deadline");
    assert_eq!(machine.now() - before, Duration::from_micros(100));
    // Nobody waits any more: the next wait is as long as it was asked to be.
    machine.wait(Some(before + Duration::from_millis(5)));
    assert_eq!(machine.now() - before, Duration::from_millis(5));
}

#[test]
fn who_waits_for_frames_is_woken_to_flush_what_is_stuck() {
    model::room(0);
    let (machine, mut left, mut right) = pair();
    send(&mut left, 9).expect("it may wait");
    left.split().1.flush();
    let wakes = Wakes::new();
    assert_eq!(came(&mut left, &wakes), None);
    machine.wait(None);
    assert_eq!(wakes.count(), 1);
    model::room(usize::MAX);
    left.split().1.flush();
    assert_eq!(came(&mut right, &wakes), Some(9));
}

#[test]
fn a_frame_that_the_host_refuses_is_counted() {
    let (_machine, mut left, mut right) = pair();
    model::refuse(true);
    send(&mut left, 1).expect("it is lost as on a cable");
    model::refuse(false);
    send(&mut left, 2).expect("room");
    assert_eq!(came(&mut right, &Wakes::new()), Some(2));
    assert_eq!((left.stats().tx_frames, left.stats().tx_dropped), (1, 1));
}

#[test]
fn frames_to_a_device_that_nobody_opened_do_not_end_every_wait() {
    let machine = Machine::<Cable>::new(&model::boot());
    let mut left = Nic::open(&machine, "left").expect("it is there");
    send(&mut left, 1).expect("room");
    send(&mut left, 2).expect("room");
    machine.wait(None);
    let until = machine.now() + Duration::from_secs(1);
    machine.wait(Some(until));
    assert_eq!(machine.now(), until);
}
