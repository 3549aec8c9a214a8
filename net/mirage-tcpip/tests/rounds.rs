//! How often a stack that runs as a task asks its device for frames in vain.

#![allow(clippy::std_instead_of_alloc, reason = "std is there")]

use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::future::{Future, pending};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::rc::Rc;

use mirage_clock::{Duration, Instant, Monotonic, Sleep};
use mirage_net::{
    Capabilities, Disconnected, Frame, FrameWriter, Link, MacAddress, Net, Outgoing, Receive, SendError, Stats,
    Transmit,
};
use mirage_random::{EntropyError, EntropySource, SeededGenerator};
use mirage_stack::{ListenOptions, Stack as _, TcpOptions};
use mirage_tcpip::{Config, Ipv4Cidr, Sizes, Stack, Storage};

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

/// Time stands still, and nobody waits for it to end.
struct Still;

impl Monotonic for Still {
    fn now(&self) -> Instant {
        Instant::from_micros(1_000_000)
    }

    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
}

impl Sleep for Still {
    async fn sleep_until(&self, _deadline: Instant) {
        pending::<()>().await;
    }
}

type Line = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// One end of a cable that counts how often nothing was there.
struct End {
    receive: In,
    transmit: Out,
}

struct In {
    line: Line,
    in_vain: Rc<Cell<u32>>,
}

struct Out {
    line: Line,
    last: u8,
    stats: Stats,
}

impl Net for End {
    type Receive = In;
    type Transmit = Out;

    fn split(&mut self) -> (&mut In, &mut Out) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        self.transmit.stats
    }
}

impl Receive for In {
    fn poll_frame<R>(
        &mut self,
        _cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        let Some(frame) = self.line.borrow_mut().pop_front() else {
            self.in_vain.set(self.in_vain.get() + 1);
            return Poll::Pending;
        };
        Poll::Ready(Ok(take(Frame::new(&frame))))
    }
}

impl Transmit for Out {
    fn mac(&self) -> MacAddress {
        MacAddress::local([0, 0, 0, 0, 0, self.last])
    }

    fn mtu(&self) -> usize {
        1_500
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn link(&self) -> Link {
        Link::Up
    }

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        let mut bytes = vec![0; frame.len];
        let written = FrameWriter::fill(&mut bytes, fill).ok_or(SendError::TooLong)?.to_vec();
        self.stats.tx_bytes += written.len() as u64;
        self.line.borrow_mut().push_back(written);
        Ok(())
    }

    fn flush(&mut self) {}
}

fn stack(lines: [&Line; 2], last: u8, in_vain: &Rc<Cell<u32>>) -> Stack<'static, End> {
    let receive = In { line: lines[0].clone(), in_vain: in_vain.clone() };
    let device = End { receive, transmit: Out { line: lines[1].clone(), last, stats: Stats::default() } };
    let mut random = SeededGenerator::new(&mut Counting(last.into())).expect("the source is no constant");
    let stack = Stack::new(device, Config::default(), Storage::allocate(Sizes::default()), &mut random);
    stack.add_address(Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, last), 24).expect("a prefix")).expect("there is room");
    stack
}

fn still_runs(run: Poll<Result<Infallible, Disconnected>>) {
    assert!(run.is_pending(), "the cable is in");
}

#[test]
fn in_a_quiet_conversation_the_device_is_asked_in_vain_once_for_an_answer() {
    const REQUESTS: u32 = 160;
    let (near, far) = (Line::default(), Line::default());
    let (in_vain, elsewhere) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (here, there) = (stack([&near, &far], 1, &elsewhere), stack([&far, &near], 2, &in_vain));
    let mut cx = Context::from_waker(Waker::noop());
    let mut run = pin!(there.run(&Still, &Still));
    let at = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 80);
    let mut listener = (&there).listen(at, ListenOptions::default()).expect("the port is free");
    let mut accepted = None;
    let mut stream = {
        let stack = &here;
        let mut opening = pin!(stack.connect(at, TcpOptions::default()));
        loop {
            here.poll(Still.now(), &mut cx).expect("the cable is in");
            still_runs(run.as_mut().poll(&mut cx));
            if let Poll::Ready(stream) = listener.poll_accept(&mut cx) {
                accepted = Some(stream.expect("it is open"));
            }
            if let Poll::Ready(stream) = opening.as_mut().poll(&mut cx)
                && accepted.is_some()
            {
                break stream.expect("somebody listens");
            }
        }
    };
    let mut accepted = accepted.expect("it was accepted");
    let before = in_vain.get();
    for _ in 0..REQUESTS {
        let Poll::Ready(Ok(8)) = stream.poll_write(&mut cx, b"question") else { panic!("there is room") };
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        // It takes the question in and lets others run; then it sends, looks once more and waits.
        still_runs(run.as_mut().poll(&mut cx));
        let Poll::Ready(Ok(8)) = accepted.poll_read(&mut cx, &mut [0; 64]) else { panic!("it has come") };
        let Poll::Ready(Ok(6)) = accepted.poll_write(&mut cx, b"answer") else { panic!("there is room") };
        still_runs(run.as_mut().poll(&mut cx));
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        let Poll::Ready(Ok(6)) = stream.poll_read(&mut cx, &mut [0; 64]) else { panic!("it has come") };
    }
    let asked = in_vain.get() - before;
    assert!((REQUESTS..=REQUESTS + REQUESTS / 8).contains(&asked), "{asked} times for {REQUESTS} answers");
}
