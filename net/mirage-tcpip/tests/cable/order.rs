//! A stack that runs as a task lets applications read and answer before it acknowledges.

use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::Monotonic as _;

use crate::stack;
use crate::still::{Still, go_on, open};

#[test]
fn what_is_read_and_answered_at_once_is_acknowledged_by_the_answer() {
    let (one, other) = mirage_vnetif::cable(1500, 64);
    let (here, there) = (stack(one, 1), stack(other, 2));
    let mut cx = Context::from_waker(Waker::noop());
    let mut run = pin!(there.run(&Still, &Still));
    let [mut stream, mut accepted] = open(&here, &there, &mut run);
    for _ in 0..10 {
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        go_on(&mut run, &mut cx);
    }
    let mut buffer = [0; 65_536];
    for _ in 0..3 {
        let before = there.device_stats().tx_frames;
        let Poll::Ready(Ok(11_584)) = stream.poll_write(&mut cx, &[7; 11_584]) else { panic!("there is room") };
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        // It takes in what came, and lets others run.
        go_on(&mut run, &mut cx);
        let Poll::Ready(Ok(11_584)) = accepted.poll_read(&mut cx, &mut buffer) else { panic!("all has come") };
        let Poll::Ready(Ok(6)) = accepted.poll_write(&mut cx, b"thanks") else { panic!("there is room") };
        for _ in 0..10 {
            go_on(&mut run, &mut cx);
        }
        assert_eq!(there.device_stats().tx_frames - before, 1);
        here.poll(Still.now(), &mut cx).expect("the cable is in");
    }
}
