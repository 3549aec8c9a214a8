//! What devices and run loop share, on a target whose time passes only in a wait.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "std is there")]

use core::cell::Cell;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use mirage_clock::{Duration, Instant, Monotonic, Timestamp, Wall};
use mirage_solo5::{
    Abi, Boot, Console, Error, Handle, Kind, Machine, MonotonicClock, ReadySet, Wakes, WallClock, testing,
};

#[derive(Clone, Copy, Debug, Default)]
struct Model;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(1_000_000_007) };
    /// The devices that have frames, as bits, and how many frames each.
    static FRAMES: Cell<[u32; 4]> = const { Cell::new([0; 4]) };
    static WRITTEN: Cell<Vec<Vec<u8>>> = const { Cell::new(Vec::new()) };
}

impl Abi for Model {
    unsafe fn start(_: *const u8) -> Boot {
        let net = Kind::Net { mac: [2; 6], mtu: 1500 };
        Boot::new(b"", 0, testing::devices(&[("one", net), ("two", net), ("three", net)]))
    }
    fn monotonic() -> u64 {
        NOW.get()
    }
    fn wall() -> Option<u64> {
        Some(1_700_000_000_123_456_789)
    }
    fn write(bytes: &[u8]) {
        let mut written = WRITTEN.take();
        written.push(bytes.to_vec());
        WRITTEN.set(written);
    }
    fn poll(deadline: u64) -> ReadySet {
        let frames = FRAMES.get();
        let mut ready = ReadySet::EMPTY;
        (0..4).filter(|place| frames[*place] > 0).for_each(|place| ready.insert(handle(place)));
        if ready.is_empty() {
            assert_ne!(deadline, u64::MAX, "it would wait for ever");
            NOW.set(NOW.get().max(deadline));
        }
        ready
    }
    fn net_write(_: Handle, _: &[u8]) -> Result<(), Error> {
        Err(Error::Again)
    }
    fn net_read(handle: Handle, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut frames = FRAMES.get();
        let left = &mut frames[handle.index()];
        *left = left.checked_sub(1).ok_or(Error::Again)?;
        FRAMES.set(frames);
        Ok(buffer.len())
    }
    fn block_read(_: Handle, _: u64, _: &mut [u8]) -> Result<(), Error> {
        Err(Error::Invalid)
    }
    fn block_write(_: Handle, _: u64, _: &[u8]) -> Result<(), Error> {
        Err(Error::Invalid)
    }
    fn exit(code: u8) -> ! {
        panic!("{code}")
    }
}

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn bell() -> (Arc<Bell>, Waker) {
    let bell = Arc::new(Bell::default());
    (bell.clone(), Waker::from(bell))
}

fn rang(bell: &Bell) -> usize {
    bell.0.load(Ordering::SeqCst)
}

fn handle(place: usize) -> Handle {
    Handle::new(place).expect("below 64")
}

fn frames(place: usize, count: u32) {
    let mut frames = FRAMES.get();
    frames[place] = count;
    FRAMES.set(frames);
}

fn machine() -> Machine<Model> {
    // SAFETY: the model looks at nothing.
    Machine::new(&unsafe { Model::start(core::ptr::null()) })
}

#[test]
fn a_frame_wakes_who_waits_for_that_device_once() {
    let machine = machine();
    let (one, two) = (bell(), bell());
    for (place, bell) in [(1, &one), (2, &two)] {
        assert!(machine.claim(handle(place)));
        machine.set_waker(handle(place), Wakes::Frame, &bell.1);
    }
    frames(2, 1);
    machine.wait(None);
    machine.wait(None);
    assert_eq!((rang(&one.0), rang(&two.0)), (0, 1));
}

#[test]
fn the_last_waker_is_the_one_that_is_kept() {
    let machine = machine();
    let (old, new) = (bell(), bell());
    machine.claim(handle(1));
    machine.set_waker(handle(1), Wakes::Frame, &old.1);
    machine.set_waker(handle(1), Wakes::Frame, &new.1);
    frames(1, 1);
    machine.wait(None);
    assert_eq!((rang(&old.0), rang(&new.0)), (0, 1));
}

#[test]
fn a_deadline_ends_the_wait_and_one_in_the_past_only_looks() {
    let machine = machine();
    let before = machine.now();
    machine.wait(Some(before + Duration::from_millis(3)));
    assert_eq!(machine.now() - before, Duration::from_millis(3));
    machine.wait(Some(Instant::ZERO));
    machine.wait(Some(before));
    assert_eq!(machine.now() - before, Duration::from_millis(3));
}

#[test]
fn a_stuck_device_is_tried_again_after_a_hundred_microseconds() {
    let machine = machine();
    let (frame, room, other) = (bell(), bell(), bell());
    machine.set_waker(handle(1), Wakes::Frame, &frame.1);
    machine.set_waker(handle(1), Wakes::Room, &room.1);
    machine.set_waker(handle(2), Wakes::Room, &other.1);
    let before = machine.now();
    machine.retry(handle(1));
    machine.retry(handle(1));
    machine.wait(Some(before + Duration::from_secs(1)));
    assert_eq!(machine.now() - before, Duration::from_micros(100));
    assert_eq!((rang(&frame.0), rang(&room.0), rang(&other.0)), (1, 1, 0));
    machine.wait(Some(before + Duration::from_secs(1)));
    assert_eq!(machine.now() - before, Duration::from_secs(1), "it is not stuck any more");
}

#[test]
fn a_device_that_nobody_opened_is_emptied_within_bounds() {
    let machine = machine();
    frames(3, 1_000);
    machine.wait(None);
    assert!(FRAMES.get()[3] < 1_000, "something was read away");
    assert!(FRAMES.get()[3] > 0, "but not everything at once");
    for _ in 0..100 {
        machine.wait(Some(Instant::ZERO));
    }
    assert_eq!(FRAMES.get()[3], 0);
}

#[test]
fn a_handle_of_no_device_is_no_trouble() {
    let machine = machine();
    machine.set_waker(handle(63), Wakes::Frame, Waker::noop());
    machine.retry(handle(63));
    machine.wait(None);
}

#[test]
fn the_wall_clock_is_asked_for_nanoseconds() {
    let clock = WallClock::<Model>::new();
    assert_eq!(clock.timestamp(), Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 }));
    mirage_clock::testing::examine_wall(&clock);
    assert_eq!(MonotonicClock::<Model>::new().now(), machine().now());
}

#[test]
fn the_console_passes_its_exam() {
    mirage_console::testing::examine(&mut Console::<Model>::new(), |_| Some(WRITTEN.take().concat()));
}

#[test]
fn a_line_of_usual_length_is_one_write() {
    use mirage_console::Console as _;
    for (len, writes) in [(0, 1), (255, 1), (256, 2)] {
        let line = "x".repeat(len);
        let Ok(()) = Console::<Model>::new().write_line(&line);
        let written = WRITTEN.take();
        assert_eq!(written.len(), writes, "{len} bytes");
        assert_eq!(written.concat(), (line + "\n").as_bytes());
    }
}
