//! The exam's own device keeps frames as the exam asks, and broken devices do not pass.

use core::num::NonZeroU16;
use core::panic::AssertUnwindSafe;
use core::task::{Context, Poll, Waker};
use std::panic::catch_unwind;

use mirage_net::testing::{FakeFrame, FakeNet, FakeReceive, FakeTransmit, examine_keeping};
use mirage_net::{
    Capabilities, ChecksumOffload, Disconnected, Frame, FrameId, FrameSet, MacAddress, Net, Outgoing, Receive,
    ReceivedChecksum, SegmentationOffload, Stats,
};

const OFFLOADS: Capabilities = Capabilities {
    checksum: ChecksumOffload::all(),
    segmentation: SegmentationOffload::all(),
    max_large_frame: 65_549,
};

#[test]
fn the_fake_device_passes_with_and_without_offloads() {
    for capabilities in [Capabilities::default(), OFFLOADS] {
        let (mut a, mut b) = FakeNet::pair();
        [&a, &b].iter().for_each(|device| device.set_capabilities(capabilities));
        assert_eq!(examine_keeping(&mut a, &mut b, || ()), [64, 64]);
    }
}

#[test]
fn a_device_behind_a_reference_keeps_too() {
    let (mut a, mut b) = FakeNet::pair();
    assert_eq!(examine_keeping(&mut &mut a, &mut &mut b, || ()), [64, 64]);
}

#[test]
fn a_device_that_keeps_few_or_none_passes_and_is_known_by_that() {
    for (few, none) in [(1, 0), (2, 0), (63, 0)] {
        let (mut a, mut b) = FakeNet::pair();
        a.set_most_kept(few);
        b.set_most_kept(none);
        assert_eq!(examine_keeping(&mut a, &mut b, || ()), [few, none]);
    }
    let [mut a, mut b] = pair(KeepsNone);
    assert_eq!(examine_keeping(&mut a, &mut b, || ()), [0, 0]);
}

#[test]
fn a_kept_frame_stays_when_the_device_is_gone() {
    let mut device = FakeNet::new(MacAddress([2, 0, 0, 0, 0, 7]));
    device.receive_frame(FakeFrame {
        bytes: vec![7; 1514],
        outgoing: Outgoing { segment_size: NonZeroU16::new(700), ..Outgoing::new(1514) },
        received: ReceivedChecksum::Verified,
    });
    device.disconnect();
    let (receive, _) = device.split();
    let mut cx = Context::from_waker(Waker::noop());
    let came =
        receive.poll_frame_to_keep(&mut cx, |frame, number| ((frame.checksum, frame.segment_size, number), true));
    let Poll::Ready(Ok((ReceivedChecksum::Verified, Some(_), Some(number)))) = came else { panic!("{came:?}") };
    assert_eq!(receive.poll_frame_to_keep(&mut cx, |_, _| ((), true)), Poll::Ready(Err(Disconnected)));
    assert_eq!(receive.kept(number), [7; 1514]);
}

/// What is wrong with a device.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// Nothing: it does not say anything of its own about keeping.
    KeepsNone,
    /// All that is kept lies in one buffer.
    KeepsTheLast,
    /// A number that is out is offered.
    OffersTwice,
    /// Who takes a frame is not asked.
    KeepsUnasked,
    /// A frame without a number gets one.
    KeepsWithoutNumber,
    /// A number that was offered counts as out.
    TakesTheNumber,
    /// When nothing more can be kept, nothing more comes.
    StopsWhenAllAreOut,
    /// When nothing more can be kept, frames are lost.
    DropsWhenAllAreOut,
    /// Nothing is given back.
    NeverReleases,
    /// Everything is given back.
    ReleasesOthers,
    /// To give back what is not kept gives another one back.
    ReleasesAnother,
    /// What was given back can still be seen.
    ShowsWhatWasReleased,
    /// The last byte is missing.
    CutsTheFrame,
    ForgetsTheChecksum,
    ForgetsTheSegmentSize,
    ForgetsTheWaker,
    CountsNoKept,
    CountsNoBytesOfKept,
    /// Of several, as many are lent as there are.
    LendsMoreThanAsked,
    /// What is lent in one call counts as one.
    CountsCalls,
    /// What comes behind a frame that was lent is lost.
    LosesTheNext,
}

use Fault::*;

const LAST: FrameId = FrameId::new(63).unwrap();

struct Broken {
    receive: BrokenReceive,
    transmit: FakeTransmit,
    device: FakeNet,
}

struct BrokenReceive {
    inner: FakeReceive,
    fault: Fault,
    last: Vec<u8>,
    released: Vec<u8>,
    out: FrameSet,
    kept: Stats,
}

fn pair(fault: Fault) -> [Broken; 2] {
    let (a, b) = FakeNet::pair();
    [a, b].map(|mut device| {
        device.set_capabilities(OFFLOADS);
        let (inner, transmit) = device.split();
        let (inner, transmit) = (inner.clone(), transmit.clone());
        let (out, kept) = (FrameSet::EMPTY, Stats::default());
        Broken { receive: BrokenReceive { inner, fault, last: vec![], released: vec![], out, kept }, transmit, device }
    })
}

impl Net for Broken {
    type Receive = BrokenReceive;
    type Transmit = FakeTransmit;
    fn split(&mut self) -> (&mut BrokenReceive, &mut FakeTransmit) {
        (&mut self.receive, &mut self.transmit)
    }
    fn stats(&self) -> Stats {
        let mut stats = self.device.stats();
        match self.receive.fault {
            CountsNoKept => stats.rx_frames -= self.receive.kept.rx_frames,
            CountsNoBytesOfKept => stats.rx_bytes -= self.receive.kept.rx_bytes,
            _ => {}
        }
        stats
    }
}

impl Receive for BrokenReceive {
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        self.inner.poll_frame(cx, take)
    }

    fn poll_frame_to_keep<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>, Option<FrameId>) -> (R, bool),
    ) -> Poll<Result<R, Disconnected>> {
        let Self { inner, fault, last, out, kept, .. } = self;
        let fault = *fault;
        let all_are_out = *out == FrameSet::ALL;
        match fault {
            KeepsNone => return inner.poll_frame(cx, |frame| take(frame, None).0),
            StopsWhenAllAreOut if all_are_out => return Poll::Pending,
            DropsWhenAllAreOut if all_are_out => _ = inner.poll_frame(cx, |_| ()),
            _ => {}
        }
        let noop = &mut Context::from_waker(Waker::noop());
        let cx = if fault == ForgetsTheWaker { noop } else { cx };
        inner.poll_frame_to_keep(cx, |mut frame, number| {
            match fault {
                CutsTheFrame => _ = frame.bytes.split_off_last(),
                ForgetsTheChecksum => frame.checksum = ReceivedChecksum::Unchecked,
                ForgetsTheSegmentSize => frame.segment_size = None,
                _ => {}
            }
            let number = match fault {
                OffersTwice => out.first().or(number),
                _ => number,
            };
            let (result, keep) = take(frame, number);
            let keep = keep || fault == KeepsUnasked;
            if let Some(number) = number.filter(|_| keep) {
                out.insert(number);
                kept.rx_frames += 1;
                kept.rx_bytes += frame.bytes.len() as u64;
                *last = frame.bytes.to_vec();
            } else if fault == KeepsWithoutNumber {
                *last = frame.bytes.to_vec();
            }
            (result, keep || fault == TakesTheNumber)
        })
    }

    fn poll_frames_to_keep(
        &mut self,
        cx: &mut Context<'_>,
        _most: usize,
        mut take: impl FnMut(Frame<'_>, Option<FrameId>) -> bool,
    ) -> Poll<Result<usize, Disconnected>> {
        let mut came = self.poll_frame_to_keep(cx, |frame, number| (1, take(frame, number)))?;
        let [all, twice, loses] = [LendsMoreThanAsked, CountsCalls, LosesTheNext].map(|fault| self.fault == fault);
        while let Poll::Ready(count) = came
            && all
            && self.poll_frame_to_keep(cx, |frame, number| ((), take(frame, number))).is_ready()
        {
            came = Poll::Ready(count + 1);
        }
        if twice {
            _ = self.poll_frame_to_keep(cx, |frame, number| ((), take(frame, number)));
        }
        if loses {
            _ = self.inner.poll_frame(cx, |_| ());
        }
        came.map(Ok)
    }

    fn kept(&self, frame: FrameId) -> &[u8] {
        match self.fault {
            KeepsNone => &[],
            KeepsTheLast if self.out.contains(frame) => &self.last,
            KeepsWithoutNumber if frame == LAST => &self.last,
            TakesTheNumber if !self.out.contains(frame) => &[],
            ShowsWhatWasReleased if !self.out.contains(frame) && frame == LAST => &self.released,
            _ => self.inner.kept(frame),
        }
    }

    fn release(&mut self, frames: FrameSet) {
        match self.fault {
            NeverReleases => {}
            ReleasesOthers => self.inner.release(FrameSet::ALL),
            ReleasesAnother if frames.into_iter().any(|frame| !self.out.contains(frame)) => {
                let more: FrameSet = self.out.first().into_iter().collect();
                self.inner.release(frames.with(more));
                frames.with(more).into_iter().for_each(|frame| self.out.remove(frame));
            }
            _ => {
                if frames.contains(LAST) {
                    self.released = self.inner.kept(LAST).to_vec();
                }
                frames.into_iter().for_each(|frame| self.out.remove(frame));
                self.inner.release(frames);
            }
        }
    }
}

#[test]
fn each_broken_device_fails_at_what_it_breaks() {
    let stays = "what is kept must stay as it is";
    let gone = "what is not kept must have no bytes";
    for (fault, demand) in [
        (KeepsTheLast, stays),
        (OffersTwice, "must not be offered again"),
        (KeepsUnasked, gone),
        (KeepsWithoutNumber, gone),
        (TakesTheNumber, "must take no number"),
        (StopsWhenAllAreOut, "the next must come"),
        (DropsWhenAllAreOut, "the next must come"),
        (NeverReleases, gone),
        (ReleasesOthers, stays),
        (ReleasesAnother, stays),
        (ShowsWhatWasReleased, gone),
        (CutsTheFrame, "must have the bytes"),
        (ForgetsTheChecksum, "told of as by `poll_frame`"),
        (ForgetsTheSegmentSize, "told of as by `poll_frame`"),
        (ForgetsTheWaker, "must be woken"),
        (CountsNoKept, "frames that are kept are counted"),
        (CountsNoBytesOfKept, "bytes of frames that are kept are counted"),
        (LendsMoreThanAsked, "no more frames must be lent"),
        (CountsCalls, "how many frames it lent"),
        (LosesTheNext, "those that come next"),
    ] {
        let [mut a, mut b] = pair(fault);
        let failure = catch_unwind(AssertUnwindSafe(|| examine_keeping(&mut a, &mut b, || ())));
        let failure = failure.expect_err(&format!("{fault:?} must fail"));
        let text = failure.downcast_ref::<String>().map(String::as_str);
        let message = text.or(failure.downcast_ref::<&str>().copied()).expect("a message");
        assert!(message.contains(demand), "{fault:?} failed at something else: {message}");
    }
}
