//! Connections come and go; nothing may be left of them.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use lab::{Pair, ms, s};
use mirage_flow::{Direction, Read, Shutdown, Write};
use mirage_tiny::{Count, Sizes, Stack, Storage};
use mirage_vnetif::{CableEnd, cable};

/// Two stacks on a cable.
fn stacks() -> [Stack<'static, CableEnd>; 2] {
    let (one, other) = cable(1500, 64);
    let sizes = Sizes { connections: 16, buffer: 1_000, ..Sizes::default() };
    [(one, "10.0.0.1/24", 1), (other, "10.0.0.2/24", 2)].map(|(device, address, secret)| {
        let stack = Stack::new(device, Storage::allocate(sizes), [secret; 16]);
        stack.set_address(address.parse().expect("an address"));
        stack
    })
}

/// Does `scenario` so many times between two stacks, lets all memories pass and asserts that nothing is left.
fn churn(count: u32, scenario: impl FnOnce(&Pair<&Stack<'static, CableEnd>>, u32)) {
    let [client, server] = stacks();
    let pair = Pair::new(&client, &server);
    scenario(&pair, count);
    for _ in 0..40 {
        pair.pass(s(3));
    }
    for stack in [&client, &server] {
        let mut connections = None;
        stack.visit_counters(&mut |layer, name, value| {
            if (layer, name) == ("tcp", "connections") {
                connections = Some(value);
            }
        });
        assert_eq!(connections, Some(0));
        assert_eq!(stack.counters().get(Count::Resent), 0, "a cable loses nothing");
    }
}

#[test]
fn a_hundred_thousand_connections_come_and_go() {
    churn(100_000, |pair, count| pair.come_and_go(count));
}

#[test]
fn thirty_thousand_connections_are_broken_off() {
    churn(30_000, |pair, count| pair.break_off(count));
}

#[test]
fn thirty_thousand_connections_are_closed_by_both_at_once() {
    churn(30_000, |pair, count| pair.close_by_both(count));
}

#[test]
fn thirty_thousand_attempts_are_refused() {
    churn(30_000, |pair, count| pair.refuse(count));
}

/// What has come before it was looked at has not been lost.
#[test]
fn a_host_that_was_not_polled_for_long_gives_nobody_up() {
    let [client, server] = stacks();
    let pair = Pair::new(&client, &server);
    let mut listener = pair.listen();
    let (mut here, _there) = pair.open(&mut listener);
    assert_eq!(pair.finish(here.write(b"ping")), Ok(4));
    pair.turn();
    let mut cx = Context::from_waker(Waker::noop());
    server.poll(pair.now() + ms(100), &mut cx).expect("the cable is there");
    pair.pass(s(500));
    assert_eq!(client.counters().get(Count::Resent), 0);
    assert_eq!(pair.finish(here.write(b"ping")), Ok(4));
}

/// A task that waits for bytes hears when the other half says that nobody reads any more.
#[test]
fn a_reader_hears_that_nobody_reads() {
    use mirage_flow::Split as _;
    let [client, server] = stacks();
    let pair = Pair::new(&client, &server);
    let mut listener = pair.listen();
    let (mut here, _there) = pair.open(&mut listener);
    let (mut reader, mut writer) = here.split();
    let mut buffer = [0];
    let mut read = pin!(reader.read(&mut buffer));
    let woken = alloc::sync::Arc::new(Flag::default());
    let waker = Waker::from(woken.clone());
    assert!(read.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    pair.finish(writer.shutdown(Direction::Both)).expect("the connection holds");
    assert!(woken.0.load(core::sync::atomic::Ordering::Relaxed), "the reader was woken");
    assert_eq!(read.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(0)));
}

#[derive(Default)]
struct Flag(core::sync::atomic::AtomicBool);

impl alloc::task::Wake for Flag {
    fn wake(self: alloc::sync::Arc<Self>) {
        self.0.store(true, core::sync::atomic::Ordering::Relaxed);
    }
}
