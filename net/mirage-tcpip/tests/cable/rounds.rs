//! How often a stack that runs as a task asks its device for frames in vain.

#![allow(clippy::std_instead_of_alloc, reason = "std is there")]

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::rc::Rc;

use mirage_clock::Monotonic as _;

use crate::end::{Line, Told, end};
use crate::stack;
use crate::still::{Still, go_on, open};

#[test]
fn in_a_quiet_conversation_the_device_is_asked_in_vain_once_for_an_answer() {
    const REQUESTS: u32 = 160;
    let (near, far) = (Line::default(), Line::default());
    let (told, elsewhere) = (Rc::<Told>::default(), Rc::<Told>::default());
    let (here, there) = (stack(end([&near, &far], 1, &elsewhere), 1), stack(end([&far, &near], 2, &told), 2));
    let mut cx = Context::from_waker(Waker::noop());
    let mut run = pin!(there.run(&Still, &Still));
    let [mut stream, mut accepted] = open(&here, &there, &mut run);
    let before = told.in_vain.get();
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
    let asked = told.in_vain.get() - before;
    assert!((REQUESTS..=REQUESTS + REQUESTS / 8).contains(&asked), "{asked} times for {REQUESTS} answers");
}
