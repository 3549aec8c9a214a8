//! The reactor through its public verbs.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "std is there")]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use mirage_clock::{Duration, Instant, Monotonic};
use mirage_unix::{Direction, MonotonicClock, Reactor, Registered};

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn soon() -> Option<Instant> {
    Some(MonotonicClock.now() + Duration::from_secs(5))
}

fn pair(reactor: &Reactor) -> (Registered<UnixStream>, UnixStream) {
    let (near, far) = UnixStream::pair().expect("a pair");
    near.set_nonblocking(true).expect("non-blocking");
    (Registered::new(reactor, near).expect("registered"), far)
}

fn read(fd: &Registered<UnixStream>, waker: &Waker) -> Poll<std::io::Result<usize>> {
    fd.poll_io(&mut Context::from_waker(waker), Direction::Read, |mut stream| stream.read(&mut [0; 64]))
}

#[test]
fn every_task_that_waits_for_a_descriptor_is_woken_once() {
    let reactor = Reactor::new().expect("a reactor");
    let (near, mut far) = pair(&reactor);
    let (first, second) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
    let (waker, other) = (Waker::from(first.clone()), Waker::from(second.clone()));
    for _ in 0..3 {
        assert!(read(&near, &waker).is_pending());
        assert!(read(&near, &other).is_pending());
    }
    far.write_all(b"hello").expect("room");
    assert_eq!(reactor.wait(soon()).expect("waited"), 2);
    assert_eq!((first.0.load(Ordering::SeqCst), second.0.load(Ordering::SeqCst)), (1, 1));
    assert!(matches!(read(&near, &waker), Poll::Ready(Ok(5))));
}

#[test]
fn a_task_that_waits_is_known_until_the_descriptor_is_ready() {
    let reactor = Reactor::new().expect("a reactor");
    let (near, mut far) = pair(&reactor);
    let (waker, other) = (Waker::from(Arc::new(Bell::default())), Waker::from(Arc::new(Bell::default())));
    let waits = |waker: &Waker, direction| near.is_waiting(&Context::from_waker(waker), direction);
    assert!(!waits(&waker, Direction::Read), "nobody has asked");
    assert!(read(&near, &waker).is_pending());
    assert!(waits(&waker, Direction::Read));
    assert!(!waits(&waker, Direction::Write) && !waits(&other, Direction::Read), "another direction, another task");
    far.write_all(b"x").expect("room");
    assert_eq!(reactor.wait(soon()).expect("waited"), 1);
    assert!(!waits(&waker, Direction::Read), "now it is worth trying");
}

#[test]
fn a_full_socket_is_waited_for_and_then_written() {
    let reactor = Reactor::new().expect("a reactor");
    let (near, mut far) = pair(&reactor);
    let mut cx = Context::from_waker(Waker::noop());
    let block = [7; 65_536];
    let mut sent = 0;
    while let Poll::Ready(written) = near.poll_io(&mut cx, Direction::Write, |mut stream| stream.write(&block)) {
        sent += written.expect("open");
    }
    assert_eq!(reactor.wait(Some(Instant::ZERO)).expect("looked"), 0, "still full");
    let mut received = vec![0; sent];
    far.read_exact(&mut received).expect("all of it");
    assert_eq!(reactor.wait(soon()).expect("waited"), 1);
    assert!(near.poll_io(&mut cx, Direction::Write, |mut stream| stream.write(&block)).is_ready());
}

#[test]
fn a_deadline_ends_the_wait_and_never_early() {
    let reactor = Reactor::new().expect("a reactor");
    let deadline = MonotonicClock.now() + Duration::from_millis(20);
    assert_eq!(reactor.wait(Some(deadline)).expect("waited"), 0);
    assert!(MonotonicClock.now() >= deadline);
}

/// Waits until `deadline` has passed and says how many waits that took.
fn waits_until(reactor: &Reactor, deadline: Instant) -> usize {
    let mut waits = 0;
    while MonotonicClock.now() < deadline {
        assert_eq!(reactor.wait(Some(deadline)).expect("waited"), 0);
        waits += 1;
    }
    waits
}

#[test]
fn a_deadline_that_moves_on_ends_one_wait_early_and_no_more() {
    let reactor = Reactor::new().expect("a reactor");
    let first = MonotonicClock.now() + Duration::from_millis(10);
    let (waker, (near, mut far)) = (Waker::noop(), pair(&reactor));
    assert!(read(&near, waker).is_pending());
    far.write_all(b"x").expect("room");
    assert_eq!(reactor.wait(Some(first)).expect("waited"), 1, "the byte came before the deadline");
    assert!(waits_until(&reactor, first + Duration::from_millis(20)) <= 2);
    assert_eq!(waits_until(&reactor, first + Duration::from_millis(30)), 1);
}

#[test]
fn what_was_read_without_a_wait_ends_none() {
    let reactor = Reactor::new().expect("a reactor");
    let (near, mut far) = pair(&reactor);
    far.write_all(b"early").expect("room");
    assert!(matches!(read(&near, Waker::noop()), Poll::Ready(Ok(5))));
    assert!(read(&near, Waker::noop()).is_pending());
    assert_eq!(waits_until(&reactor, MonotonicClock.now() + Duration::from_millis(10)), 1);
}

#[test]
fn a_deadline_that_comes_nearer_is_kept() {
    let reactor = Reactor::new().expect("a reactor");
    let (waker, (near, mut far)) = (Waker::noop(), pair(&reactor));
    assert!(read(&near, waker).is_pending());
    far.write_all(b"x").expect("room");
    assert_eq!(reactor.wait(Some(Instant::MAX)).expect("waited"), 1, "the byte came");
    let before = MonotonicClock.now();
    assert_eq!(waits_until(&reactor, before + Duration::from_millis(10)), 1);
    assert!(MonotonicClock.now() - before < Duration::from_secs(5));
}

#[test]
fn a_deadline_in_the_past_ends_every_wait_at_once() {
    let reactor = Reactor::new().expect("a reactor");
    let before = MonotonicClock.now();
    for deadline in [Instant::ZERO, before, Instant::from_nanos(1), before] {
        assert_eq!(reactor.wait(Some(deadline)).expect("looked"), 0);
    }
    assert!(MonotonicClock.now() - before < Duration::from_secs(2));
}

#[test]
fn another_thread_ends_a_wait_without_a_deadline() {
    let reactor = Reactor::new().expect("a reactor");
    let before = MonotonicClock.now();
    for _ in 0..50 {
        let interrupt = reactor.interrupt();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(core::time::Duration::from_millis(2));
            interrupt.interrupt();
        });
        assert_eq!(reactor.wait(soon()).expect("waited"), 0);
        thread.join().expect("no panic");
    }
    assert!(MonotonicClock.now() - before < Duration::from_secs(5), "some wait ran into its deadline");
}

#[test]
fn work_that_came_before_the_wait_is_not_slept_over() {
    let reactor = Reactor::new().expect("a reactor");
    let before = MonotonicClock.now();
    assert_eq!(reactor.wait_while(soon(), || false).expect("looked"), 0);
    assert!(MonotonicClock.now() - before < Duration::from_secs(2));
}

#[test]
fn the_next_owner_of_a_place_does_not_hear_of_the_last_one() {
    let reactor = Reactor::new().expect("a reactor");
    let (old, mut far) = pair(&reactor);
    assert!(read(&old, Waker::noop()).is_pending());
    far.write_all(b"late").expect("room");
    drop(old);
    let (new, _far) = pair(&reactor);
    assert!(read(&new, Waker::noop()).is_pending());
    assert_eq!(reactor.wait(Some(Instant::ZERO)).expect("looked"), 0);
}

#[test]
fn a_regular_file_is_refused_and_leaves_no_trace() {
    let reactor = Reactor::new().expect("a reactor");
    let file = std::fs::File::open(env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.toml").expect("it is there");
    #[cfg(target_os = "linux")]
    assert!(Registered::new(&reactor, file).is_err());
    let (near, mut far) = pair(&reactor);
    assert!(read(&near, Waker::noop()).is_pending());
    far.write_all(b"x").expect("room");
    assert_eq!(reactor.wait(soon()).expect("waited"), 1);
}
