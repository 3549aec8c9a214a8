//! How often a stack that runs as a task asks its device for frames in vain.

#![allow(clippy::std_instead_of_alloc, reason = "std is there")]

use core::cell::{Cell, RefCell};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::rc::Rc;

use mirage_clock::Monotonic as _;
use mirage_net::{
    Capabilities, Disconnected, Frame, FrameWriter, Link, MacAddress, Net, Outgoing, Receive, SendError, Stats,
    Transmit,
};

use crate::stack;
use crate::still::{Still, go_on, open};

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

fn end(lines: [&Line; 2], last: u8, in_vain: &Rc<Cell<u32>>) -> End {
    let receive = In { line: lines[0].clone(), in_vain: in_vain.clone() };
    End { receive, transmit: Out { line: lines[1].clone(), last, stats: Stats::default() } }
}

#[test]
fn in_a_quiet_conversation_the_device_is_asked_in_vain_once_for_an_answer() {
    const REQUESTS: u32 = 160;
    let (near, far) = (Line::default(), Line::default());
    let (in_vain, elsewhere) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (here, there) = (stack(end([&near, &far], 1, &elsewhere), 1), stack(end([&far, &near], 2, &in_vain), 2));
    let mut cx = Context::from_waker(Waker::noop());
    let mut run = pin!(there.run(&Still, &Still));
    let [mut stream, mut accepted] = open(&here, &there, &mut run);
    let before = in_vain.get();
    for _ in 0..REQUESTS {
        let Poll::Ready(Ok(8)) = stream.poll_write(&mut cx, b"question") else { panic!("there is room") };
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        // It takes the question in and lets others run; then it sends, looks once more and waits.
        go_on(&mut run, &mut cx);
        let Poll::Ready(Ok(8)) = accepted.poll_read(&mut cx, &mut [0; 64]) else { panic!("it has come") };
        let Poll::Ready(Ok(6)) = accepted.poll_write(&mut cx, b"answer") else { panic!("there is room") };
        go_on(&mut run, &mut cx);
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        let Poll::Ready(Ok(6)) = stream.poll_read(&mut cx, &mut [0; 64]) else { panic!("it has come") };
    }
    let asked = in_vain.get() - before;
    assert!((REQUESTS..=REQUESTS + REQUESTS / 8).contains(&asked), "{asked} times for {REQUESTS} answers");
}
