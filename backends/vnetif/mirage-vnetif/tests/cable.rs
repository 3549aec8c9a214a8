//! The cable, seen through the verbs of a network device.

#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a test program has std")]

use core::cell::Cell;
use core::num::NonZeroU16;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use mirage_clock::Instant;
use mirage_net::{
    Capabilities, ChecksumOffload, Disconnected, FrameId, FrameWriter, Link, Net, Outgoing, PartialChecksum, Receive,
    ReceivedChecksum, SegmentationOffload, SendError, Transmit,
};
use mirage_vnetif::{Cable, CableEnd, Recorder, cable};

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn send(end: &mut CableEnd, bytes: &[u8]) -> Result<(), SendError> {
    end.split().1.send(Outgoing::new(bytes.len()), |frame| frame.put(bytes))
}

fn flush(end: &mut CableEnd) {
    end.split().1.flush();
}

fn receive(end: &mut CableEnd) -> Poll<Result<Vec<u8>, Disconnected>> {
    end.split().0.poll_frame(&mut Context::from_waker(Waker::noop()), |frame| frame.bytes.to_vec())
}

fn received(bytes: &[u8]) -> Poll<Result<Vec<u8>, Disconnected>> {
    Poll::Ready(Ok(bytes.to_vec()))
}

#[test]
fn frames_arrive_in_order_both_ways() {
    let (mut here, mut there) = cable(1500, 4);
    send(&mut here, b"first").unwrap();
    send(&mut here, b"second").unwrap();
    send(&mut there, b"back").unwrap();
    flush(&mut here);
    flush(&mut there);
    assert_eq!(receive(&mut there), received(b"first"));
    assert_eq!(receive(&mut there), received(b"second"));
    assert_eq!(receive(&mut here), received(b"back"));
    assert_eq!(receive(&mut there), Poll::Pending);
}

#[test]
fn a_frame_that_was_not_flushed_is_not_seen() {
    let (mut here, mut there) = cable(1500, 4);
    send(&mut here, b"later").unwrap();
    assert_eq!(receive(&mut there), Poll::Pending);
    flush(&mut here);
    assert_eq!(receive(&mut there), received(b"later"));
}

#[test]
fn a_full_cable_refuses_and_says_when_there_is_room() {
    let (mut here, mut there) = cable(1500, 2);
    let counter = Arc::new(Counter::default());
    let waker = counter.clone().into();
    let mut cx = Context::from_waker(&waker);
    send(&mut here, b"1").unwrap();
    assert_eq!(here.split().1.poll_ready(&mut cx), Poll::Ready(Ok(())));
    send(&mut here, b"2").unwrap();
    let called = Cell::new(false);
    let refused = here.split().1.send(Outgoing::new(1), |_| called.set(true));
    assert_eq!((refused, called.get()), (Err(SendError::Full), false));
    assert_eq!(here.split().1.poll_ready(&mut cx), Poll::Pending);
    assert_eq!(counter.0.load(Ordering::Relaxed), 0);
    // Not flushed, but handed over when the ring was full: otherwise nobody could ever make room.
    assert_eq!(receive(&mut there), received(b"1"));
    assert_eq!(counter.0.load(Ordering::Relaxed), 1);
    assert_eq!(here.split().1.poll_ready(&mut cx), Poll::Ready(Ok(())));
    send(&mut here, b"3").unwrap();
    assert_eq!(here.stats().tx_frames, 3);
}

#[test]
fn one_flush_wakes_the_receiver_once() {
    let (mut here, mut there) = cable(1500, 8);
    let counter = Arc::new(Counter::default());
    let waker = counter.clone().into();
    assert!(there.split().0.poll_frame(&mut Context::from_waker(&waker), |_| ()).is_pending());
    for _ in 0..5 {
        send(&mut here, b"x").unwrap();
    }
    assert_eq!(counter.0.load(Ordering::Relaxed), 0);
    flush(&mut here);
    flush(&mut here);
    assert_eq!(counter.0.load(Ordering::Relaxed), 1);
}

#[test]
fn a_lent_frame_can_be_answered_before_it_is_given_back() {
    let (mut here, mut there) = cable(1500, 1);
    send(&mut here, b"ping").unwrap();
    flush(&mut here);
    let (rx, tx) = there.split();
    let answered = rx.poll_frame(&mut Context::from_waker(Waker::noop()), |frame| {
        assert_eq!(send(&mut here, b"next"), Err(SendError::Full), "the lent slot is not free yet");
        let result = tx.send(Outgoing::new(4), |out| out.put(frame.bytes));
        tx.flush();
        result
    });
    assert_eq!(answered, Poll::Ready(Ok(Ok(()))));
    assert_eq!(receive(&mut here), received(b"ping"));
    assert_eq!(send(&mut here, b"next"), Ok(()));
}

#[test]
fn what_was_in_a_slot_before_does_not_leave_with_the_next_frame() {
    let (mut here, mut there) = cable(1500, 1);
    send(&mut here, b"a long secret").unwrap();
    flush(&mut here);
    receive(&mut there).is_ready().then_some(()).unwrap();
    here.split().1.send(Outgoing::new(100), |frame| frame.put(b"x")).unwrap();
    flush(&mut here);
    assert_eq!(receive(&mut there), received(b"x"));
}

/// What can be seen of frames, of which each is as many bytes as `lens` says of 100 announced, behind `before` that were taken
/// already: sent in one go, or one after the other.
fn seen_of_run(
    before: usize,
    lens: &[usize],
    recorded: bool,
    link: Link,
    in_one: bool,
) -> impl PartialEq + core::fmt::Debug {
    let (mut here, mut there) = cable(1500, 8);
    let recorder = Recorder::new(100);
    if recorded {
        here.record(&recorder, || Instant::ZERO);
    }
    for _ in 0..before {
        send(&mut here, b"before").unwrap();
        flush(&mut here);
        assert!(receive(&mut there).is_ready());
    }
    here.set_link(link);
    let counter = Arc::new(Counter::default());
    let waker = counter.clone().into();
    let pending = there.split().0.poll_frame(&mut Context::from_waker(&waker), |_| ()).is_pending();
    let frame = Outgoing { checksum: Some(PartialChecksum { start: 34, offset: 6 }), ..Outgoing::new(100) };
    let mut fills = (1..).zip(lens).map(|(number, len)| {
        let bytes = vec![number; *len];
        move |writer: &mut FrameWriter<'_>| writer.put(&bytes)
    });
    let transmit = here.split().1;
    let done = match in_one {
        true => transmit.send_run(frame, &mut fills),
        false => {
            let mut sent = 0;
            let mut all = fills.by_ref().map(|fill| transmit.send(frame, fill));
            let failed = all.find(|result| {
                result.is_err() || {
                    sent += 1;
                    false
                }
            });
            (sent, failed.unwrap_or(Ok(())))
        }
    };
    let left = fills.count();
    let woken = counter.0.load(Ordering::Relaxed);
    flush(&mut here);
    let arrived: Vec<_> = core::iter::from_fn(|| match receive(&mut there) {
        Poll::Ready(frame) => Some(frame),
        Poll::Pending => None,
    })
    .collect();
    (done, left, pending, woken, arrived, here.stats(), there.stats(), recorder.len())
}

#[test]
fn a_run_of_frames_is_sent_as_one_after_the_other() {
    let too_long = [&[100; 5][..], &[101, 100]].concat();
    for before in [0, 3, 7, 8, 20] {
        for lens in [&[][..], &[100], &[100; 7], &[100; 8], &[100; 9], &[1, 0, 99, 100], &too_long, &[101]] {
            for (recorded, link) in [(false, Link::Up), (true, Link::Up), (false, Link::Down), (true, Link::Down)] {
                let [one, each] = [true, false].map(|in_one| seen_of_run(before, lens, recorded, link, in_one));
                assert_eq!(one, each, "{lens:?} behind {before}, {recorded}, {link:?}");
            }
        }
    }
}

#[test]
fn frames_longer_than_the_mtu_or_than_reserved_are_refused() {
    let (mut here, mut there) = cable(100, 4);
    assert_eq!(send(&mut here, &[0; 114]), Ok(()));
    assert_eq!(send(&mut here, &[0; 115]), Err(SendError::TooLong));
    assert_eq!(here.split().1.send(Outgoing::new(10), |frame| frame.put(&[0; 11])), Err(SendError::TooLong));
    flush(&mut here);
    assert!(receive(&mut there).is_ready());
    assert_eq!(receive(&mut there), Poll::Pending, "nothing of the refused frames is seen");
    assert_eq!(here.stats().tx_dropped, 2);
}

#[test]
fn offloaded_frames_arrive_with_what_was_left_out() {
    let offload = Capabilities {
        checksum: ChecksumOffload::TCP_V4,
        segmentation: SegmentationOffload::TCP_V4,
        max_large_frame: 9000,
    };
    let (mut here, mut there) = Cable::new(1500, 4).with_capabilities(offload).with_verified().connect();
    assert_eq!(here.split().1.capabilities(), offload);
    let large = Outgoing {
        len: 9000,
        checksum: Some(PartialChecksum { start: 34, offset: 16 }),
        segment_size: NonZeroU16::new(1460),
    };
    here.split().1.send(large, |frame| frame.put(&[7; 9000])).unwrap();
    here.split().1.send(Outgoing::new(60), |frame| frame.put(&[7; 60])).unwrap();
    assert_eq!(here.split().1.send(Outgoing::new(1515), |_| ()), Err(SendError::TooLong), "only cut frames are large");
    flush(&mut here);
    let mut cx = Context::from_waker(Waker::noop());
    let mut next = || there.split().0.poll_frame(&mut cx, |f| (f.bytes.len(), f.checksum, f.segment_size));
    assert_eq!(next(), Poll::Ready(Ok((9000, ReceivedChecksum::Partial, NonZeroU16::new(1460)))));
    assert_eq!(next(), Poll::Ready(Ok((60, ReceivedChecksum::Verified, None))));
}

#[test]
fn a_checksum_left_out_without_an_offer_is_not_hidden() {
    let (mut here, mut there) = cable(1500, 4);
    let partial = Outgoing { checksum: Some(PartialChecksum { start: 34, offset: 16 }), ..Outgoing::new(60) };
    here.split().1.send(partial, |frame| frame.put(&[0; 60])).unwrap();
    flush(&mut here);
    let state = there.split().0.poll_frame(&mut Context::from_waker(Waker::noop()), |frame| frame.checksum);
    assert_eq!(state, Poll::Ready(Ok(ReceivedChecksum::Unchecked)));
}

#[test]
fn what_is_sent_while_the_cable_is_out_is_lost() {
    let (mut here, mut there) = cable(1500, 4);
    let counter = Arc::new(Counter::default());
    let waker = counter.clone().into();
    assert!(here.split().0.poll_frame(&mut Context::from_waker(&waker), |_| ()).is_pending());
    there.set_link(Link::Down);
    assert_eq!(counter.0.load(Ordering::Relaxed), 1, "a change of the link wakes the receiver");
    assert_eq!(here.split().1.link(), Link::Down);
    send(&mut here, b"lost").unwrap();
    flush(&mut here);
    there.set_link(Link::Up);
    send(&mut here, b"kept").unwrap();
    flush(&mut here);
    assert_eq!(receive(&mut there), received(b"kept"));
    assert_eq!((here.stats().tx_frames, here.stats().tx_dropped), (1, 1));
}

#[test]
fn the_last_frames_of_a_dropped_end_are_received_and_then_it_is_gone() {
    let (mut here, mut there) = cable(1500, 4);
    let counter = Arc::new(Counter::default());
    let waker: Waker = counter.clone().into();
    assert!(there.split().0.poll_frame(&mut Context::from_waker(&waker), |_| ()).is_pending());
    send(&mut here, b"farewell").unwrap();
    drop(here);
    assert_eq!(counter.0.load(Ordering::Relaxed), 1);
    assert_eq!(send(&mut there, b"hello?"), Err(SendError::Disconnected));
    assert_eq!(there.split().1.poll_ready(&mut Context::from_waker(&waker)), Poll::Ready(Err(Disconnected)));
    assert_eq!(receive(&mut there), received(b"farewell"));
    assert_eq!(receive(&mut there), Poll::Ready(Err(Disconnected)));
    assert_eq!(receive(&mut there), Poll::Ready(Err(Disconnected)));
}

/// Asks for the next frame: its number if it is kept.
fn keep(end: &mut CableEnd) -> Option<FrameId> {
    let mut cx = Context::from_waker(Waker::noop());
    match end.split().0.poll_frame_to_keep(&mut cx, |_, number| (number, true)) {
        Poll::Ready(Ok(number)) => number,
        nothing => panic!("{nothing:?}"),
    }
}

#[test]
fn long_frames_are_kept_beside_short_ones_and_outlive_the_other_end() {
    let (mut here, mut there) = cable(1500, 2);
    let mut kept = Vec::new();
    for (len, is_long) in [(1514, true), (60, false), (512, true), (511, false), (1514, true)] {
        send(&mut here, &vec![len as u8; len]).unwrap();
        flush(&mut here);
        let number = keep(&mut there);
        assert_eq!(number.is_some(), is_long, "a frame of {len} bytes");
        kept.extend(number.map(|number| (number, vec![len as u8; len])));
    }
    drop(here);
    assert_eq!(receive(&mut there), Poll::Ready(Err(Disconnected)));
    for (number, bytes) in kept {
        assert_eq!(there.split().0.kept(number), bytes);
    }
}

#[test]
fn long_frames_are_lent_together_until_a_short_one_comes_or_there_are_enough() {
    let (mut here, mut there) = cable(1500, 8);
    for len in [60, 512, 1514, 600, 511, 700] {
        send(&mut here, &vec![len as u8; len]).unwrap();
    }
    flush(&mut here);
    let mut cx = Context::from_waker(Waker::noop());
    let mut lent = Vec::new();
    let counts: Vec<_> = [8, 2, 8, 8, 8]
        .into_iter()
        .map(|most| {
            there.split().0.poll_frames_to_keep(&mut cx, most, |frame, number| {
                lent.push((frame.bytes.len(), number.map(FrameId::number)));
                lent.len() % 2 == 0
            })
        })
        .collect();
    assert_eq!(counts, [1, 2, 1, 1, 1].map(|count| Poll::Ready(Ok(count))));
    assert_eq!(lent, [(60, None), (512, Some(0)), (1514, Some(1)), (600, Some(1)), (511, None), (700, Some(2))]);
    assert_eq!(there.split().0.poll_frames_to_keep(&mut cx, 8, |_, _| true), Poll::Pending);
    drop(here);
    assert_eq!(there.split().0.poll_frames_to_keep(&mut cx, 8, |_, _| true), Poll::Ready(Err(Disconnected)));
}

#[test]
fn a_receiver_that_panics_does_not_break_the_cable_for_good() {
    let (mut here, mut there) = cable(1500, 1);
    send(&mut here, b"bad").unwrap();
    flush(&mut here);
    let crash = std::panic::AssertUnwindSafe(|| {
        let _ = there.split().0.poll_frame(&mut Context::from_waker(Waker::noop()), |_| panic!("on purpose"));
    });
    assert!(std::panic::catch_unwind(crash).is_err());
    let _ = receive(&mut there);
    assert_eq!(send(&mut here, b"good"), Ok(()));
    flush(&mut here);
    assert_eq!(receive(&mut there), received(b"good"));
}
