//! One end of a cable that tells what a stack does with it.

#![allow(clippy::std_instead_of_alloc, reason = "std is there")]

use core::cell::{Cell, RefCell};
use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::rc::Rc;

use mirage_net::{
    Capabilities, Disconnected, Exchange, Frame, FrameId, FrameSet, FrameWriter, Link, MacAddress, Net, Outgoing,
    Receive, SendError, Stats, Transmit,
};

pub(crate) type Line = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// One end of a cable.
pub(crate) struct End {
    receive: In,
    transmit: Out,
}

/// What a stack did.
#[derive(Default)]
pub(crate) struct Told {
    /// How often it asked when nothing was there.
    pub(crate) in_vain: Cell<u32>,
    /// How many frames it kept.
    pub(crate) kept: Cell<u32>,
    /// How many of them it has not given back.
    pub(crate) out: Cell<u32>,
    /// The most it had at a time.
    pub(crate) most_out: Cell<u32>,
}

pub(crate) struct In {
    line: Line,
    exchange: Exchange,
    told: Rc<Told>,
}

pub(crate) struct Out {
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
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        self.poll_frame_to_keep(cx, |frame, _| (take(frame), false))
    }

    fn poll_frame_to_keep<R>(
        &mut self,
        _cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>, Option<FrameId>) -> (R, bool),
    ) -> Poll<Result<R, Disconnected>> {
        let told = &self.told;
        let Some(frame) = self.line.borrow_mut().pop_front() else {
            told.in_vain.set(told.in_vain.get() + 1);
            return Poll::Pending;
        };
        let number = self.exchange.offer();
        let (result, keep) = take(Frame::new(&frame), number);
        if keep {
            let number = number.expect("a number was offered");
            let len = frame.len();
            self.exchange.keep(number, &mut frame.into(), 0..len);
            told.kept.set(told.kept.get() + 1);
            told.out.set(told.out.get() + 1);
            told.most_out.set(told.most_out.get().max(told.out.get()));
        }
        Poll::Ready(Ok(result))
    }

    fn kept(&self, frame: FrameId) -> &[u8] {
        self.exchange.kept(frame)
    }

    fn release(&mut self, frames: FrameSet) {
        self.told.out.set(self.told.out.get() - frames.count() as u32);
        self.exchange.release(frames);
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

/// One end, at which frames arrive from the first of `lines`.
pub(crate) fn end(lines: [&Line; 2], last: u8, told: &Rc<Told>) -> End {
    let receive = In { line: lines[0].clone(), exchange: Exchange::new(), told: told.clone() };
    End { receive, transmit: Out { line: lines[1].clone(), last, stats: Stats::default() } }
}
