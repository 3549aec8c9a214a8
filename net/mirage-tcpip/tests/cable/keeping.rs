//! Which frames a stack keeps, and for how long.

#![allow(clippy::std_instead_of_alloc, reason = "std is there")]

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::rc::Rc;

use mirage_clock::Monotonic as _;

use crate::end::{Line, Told, end};
use crate::stack;
use crate::still::{Still, go_on, open};

const TURNS: u32 = 40;
/// Bytes of four full segments.
const BURST: usize = 4 * 1448;

/// A stream of bursts to an application that reads `now`, before the stack takes in more, or a burst later: what its device was
/// told.
fn stream(now: bool) -> Rc<Told> {
    let (near, far) = (Line::default(), Line::default());
    let (told, elsewhere) = (Rc::<Told>::default(), Rc::<Told>::default());
    let (here, there) = (stack(end([&near, &far], 1, &elsewhere), 1), stack(end([&far, &near], 2, &told), 2));
    let mut cx = Context::from_waker(Waker::noop());
    let mut run = pin!(there.run(&Still, &Still));
    let [mut sender, mut reader] = open(&here, &there, &mut run);
    let bytes: Vec<u8> = (0..TURNS as usize * BURST).map(|place| (place % 251) as u8).collect();
    let (mut sent, mut read) = (0, Vec::new());
    for turn in 0.. {
        if let Poll::Ready(count) = sender.poll_write(&mut cx, &bytes[sent..(sent + BURST).min(bytes.len())]) {
            sent += count.expect("it is open");
        }
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        // It takes in what came, and lets others run.
        go_on(&mut run, &mut cx);
        for _ in 0..usize::from(now || turn % 2 == 1) {
            let _pending = reader.poll_read_each(&mut cx, |piece| {
                read.extend_from_slice(piece);
                piece.len()
            });
        }
        go_on(&mut run, &mut cx);
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        if read.len() == bytes.len() {
            break;
        }
        assert!(turn < 10 * TURNS, "only {} of {} bytes came", read.len(), bytes.len());
    }
    assert_eq!(read, bytes);
    told
}

#[test]
fn what_is_read_at_once_is_kept_until_then_and_no_longer() {
    let told = stream(true);
    assert!(told.kept.get() > 3 * TURNS, "{} of {} segments", told.kept.get(), 4 * TURNS);
    assert!(told.most_out.get() <= 8, "{} at a time", told.most_out.get());
}

#[test]
fn what_is_read_late_is_mostly_copied_at_once() {
    let told = stream(false);
    assert!(told.kept.get() < 2 * TURNS, "{} of {} segments", told.kept.get(), 4 * TURNS);
}
