//! The exam's own device passes the exam, and broken devices do not.

use core::panic::AssertUnwindSafe;
use core::task::{Context, Poll, Waker};
use std::panic::catch_unwind;

use mirage_net::testing::{FakeNet, FakeReceive, FakeTransmit, Wakes, examine_disconnected, examine_pair};
use mirage_net::{
    Capabilities, Disconnected, FrameWriter, Link, MacAddress, Net, Outgoing, Receive, SendError, Stats, Transmit,
};

const ADDRESS: MacAddress = MacAddress([2, 0, 0, 0, 0, 7]);

#[test]
fn the_fake_device_passes_its_own_exam() {
    let (mut a, mut b) = FakeNet::pair();
    examine_pair(&mut a, &mut b, || ());
}

#[test]
fn a_device_behind_a_reference_passes_too() {
    let (mut a, mut b) = FakeNet::pair();
    examine_pair(&mut &mut a, &mut &mut b, || ());
}

#[test]
fn a_disconnected_device_stays_disconnected() {
    let mut device = FakeNet::new(ADDRESS);
    device.receive(&[0; 60]);
    device.disconnect();
    examine_disconnected(&mut device);
}

#[test]
#[should_panic(expected = "must say so")]
fn a_connected_device_is_not_disconnected() {
    examine_disconnected(&mut FakeNet::new(ADDRESS));
}

#[test]
fn nothing_leaves_before_the_flush() {
    let mut device = FakeNet::new(ADDRESS);
    device.split().1.send(Outgoing::new(60), |frame| frame.put_zeroes(60)).unwrap();
    assert_eq!(device.take_sent(), None);
    device.split().1.flush();
    assert_eq!(device.take_sent().unwrap().bytes, [0; 60]);
}

#[test]
fn a_full_device_wakes_its_sender_when_a_frame_is_taken() {
    let mut device = FakeNet::new(ADDRESS);
    device.set_capacity(1);
    let wakes = Wakes::new();
    let mut cx = Context::from_waker(wakes.waker());
    let (_, transmit) = device.split();
    assert_eq!(transmit.poll_ready(&mut cx), Poll::Ready(Ok(())));
    transmit.send(Outgoing::new(1), |frame| frame.put(&[1])).unwrap();
    transmit.flush();
    assert_eq!(transmit.send(Outgoing::new(1), |_| unreachable!()), Err(SendError::Full));
    assert_eq!(transmit.poll_ready(&mut cx), Poll::Pending);
    device.take_sent().unwrap();
    assert_eq!(wakes.count(), 1);
    assert_eq!(device.split().1.poll_ready(&mut cx), Poll::Ready(Ok(())));
}

#[test]
fn frames_sent_without_a_cable_are_lost_and_counted() {
    let mut device = FakeNet::new(ADDRESS);
    device.set_link(Link::Down);
    let (_, transmit) = device.split();
    transmit.send(Outgoing::new(1), |frame| frame.put(&[1])).unwrap();
    transmit.flush();
    assert_eq!(device.take_sent(), None);
    assert_eq!(device.stats().tx_dropped, 1);
}

#[test]
fn a_received_frame_wakes_the_receiver() {
    let mut device = FakeNet::new(ADDRESS);
    let test = device.clone();
    let wakes = Wakes::new();
    let mut cx = Context::from_waker(wakes.waker());
    assert!(device.split().0.poll_frame(&mut cx, |_| ()).is_pending());
    test.receive(&[5; 60]);
    assert_eq!(wakes.count(), 1);
    assert_eq!(device.split().0.poll_frame(&mut cx, |frame| frame.bytes[0]), Poll::Ready(Ok(5)));
}

#[test]
fn large_frames_are_taken_where_the_device_cuts_them() {
    let mut device = FakeNet::new(ADDRESS);
    let large = Outgoing { segment_size: core::num::NonZeroU16::new(1448), ..Outgoing::new(40_000) };
    assert_eq!(device.split().1.send(large, |_| ()), Err(SendError::TooLong));
    device.set_capabilities(Capabilities { max_large_frame: 65_549, ..Capabilities::default() });
    assert_eq!(device.split().1.send(large, |frame| frame.put_zeroes(40_000)), Ok(()));
}

/// What is wrong with a [`Broken`] device.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    SendsWhatWasReserved,
    TakesOverflow,
    ForgetsTheWaker,
    TrustsTheWriter,
    MiscountsRuns,
}

struct Broken {
    fault: Fault,
    receive: BrokenReceive,
    transmit: BrokenTransmit,
}

struct BrokenReceive(FakeReceive, Fault);
struct BrokenTransmit(FakeTransmit, Fault);

impl Net for Broken {
    type Receive = BrokenReceive;
    type Transmit = BrokenTransmit;
    fn split(&mut self) -> (&mut BrokenReceive, &mut BrokenTransmit) {
        (&mut self.receive, &mut self.transmit)
    }
    fn stats(&self) -> Stats {
        Stats::default()
    }
}

impl Receive for BrokenReceive {
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(mirage_net::Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        match self.1 {
            Fault::ForgetsTheWaker => self.0.poll_frame(&mut Context::from_waker(Waker::noop()), take),
            _ => self.0.poll_frame(cx, take),
        }
    }
}

impl Transmit for BrokenTransmit {
    fn mac(&self) -> MacAddress {
        self.0.mac()
    }
    fn mtu(&self) -> usize {
        self.0.mtu()
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    fn link(&self) -> Link {
        self.0.link()
    }
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        self.0.poll_ready(cx)
    }
    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        if frame.len > self.mtu() + 18 {
            return Err(SendError::TooLong);
        }
        if self.0.poll_ready(&mut Context::from_waker(Waker::noop())).is_pending() {
            return Err(SendError::Full);
        }
        let mut buffer = vec![0x55; frame.len];
        let mut writer = FrameWriter::new(&mut buffer);
        fill(&mut writer);
        if writer.overflowed() && self.1 != Fault::TakesOverflow {
            return Err(SendError::TooLong);
        }
        let written = match self.1 {
            Fault::SendsWhatWasReserved => frame.len,
            _ => writer.len(),
        };
        let bytes = match self.1 {
            Fault::TrustsTheWriter => buffer[..written].to_vec(),
            Fault::SendsWhatWasReserved => buffer,
            _ => writer.finish().to_vec(),
        };
        self.0.send(Outgoing::new(written), |frame| frame.put(&bytes))
    }
    fn send_run(
        &mut self,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        let results: Vec<_> = fills.map(|fill| self.send(frame, fill)).take_while(Result::is_ok).collect();
        let counted = results.len() + usize::from(self.1 == Fault::MiscountsRuns);
        (counted, Err(SendError::TooLong))
    }
    fn flush(&mut self) {
        self.0.flush();
    }
}

fn fails_at(fault: Fault, demand: &str) {
    let broken = |mut device: FakeNet| {
        let (receive, transmit) = device.split();
        let (receive, transmit) = (BrokenReceive(receive.clone(), fault), BrokenTransmit(transmit.clone(), fault));
        Broken { fault, receive, transmit }
    };
    let (a, b) = FakeNet::pair();
    let (mut a, mut b) = (broken(a), broken(b));
    assert!(a.fault == b.fault);
    let failure = catch_unwind(AssertUnwindSafe(|| examine_pair(&mut a, &mut b, || ()))).expect_err("it must fail");
    let text = failure.downcast_ref::<String>().map(String::as_str);
    let message = text.or(failure.downcast_ref::<&str>().copied()).expect("a message");
    assert!(message.contains(demand), "failed at something else: {message}");
}

#[test]
fn a_device_that_sends_what_was_reserved_fails() {
    fails_at(Fault::SendsWhatWasReserved, "what was reserved and not written must not leave");
}

#[test]
fn a_device_that_takes_an_overflowed_frame_fails() {
    fails_at(Fault::TakesOverflow, "overflowed its writer");
}

#[test]
fn a_device_that_trusts_a_replaced_writer_fails() {
    fails_at(Fault::TrustsTheWriter, "writer was replaced");
}

#[test]
fn a_device_that_forgets_the_waker_fails() {
    fails_at(Fault::ForgetsTheWaker, "must be woken");
}

#[test]
fn a_device_that_counts_more_than_it_sent_fails() {
    fails_at(Fault::MiscountsRuns, "a frame of a run");
}
