//! The ring as a tender sees it.

extern crate std;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

use super::*;

/// An image with a ring; the tender is played by whoever owns it.
struct Machine {
    ring: Box<Ring>,
    slots: Slots,
}

impl Machine {
    fn new() -> Self {
        // SAFETY: zeroes are what a tender leaves there, and valid in every field.
        let ring = unsafe { Box::<Ring>::new_zeroed().assume_init() };
        Self { ring, slots: Slots(UnsafeCell::new([[0; SLOT]; SLOTS])) }
    }

    fn write(&self, frame: &[u8]) -> Option<Result<(), Error>> {
        self.ring.put(&self.slots, Handle::new(3).expect("below 64"), frame, || ())
    }

    /// The tender takes one frame.
    fn take(&self) -> Option<Vec<u8>> {
        let done = self.ring.done.load(Ordering::Relaxed);
        if done == self.ring.put.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: the image does not touch a request that is put and not done.
        let request = unsafe { &*self.ring.requests[done as usize % REQUESTS].get() };
        assert_eq!((request.operation, request.handle), (1, 3));
        // SAFETY: the same for its bytes.
        let frame = unsafe { core::slice::from_raw_parts(request.bytes, request.len as usize) }.to_vec();
        self.ring.done.store(done.wrapping_add(1), Ordering::Release);
        Some(frame)
    }
}

// SAFETY: the test below has one thread for each side, as image and tender are.
unsafe impl Sync for Machine {}

#[test]
fn a_frame_lies_in_the_tenders_layout() {
    let machine = Machine::new();
    assert_eq!(machine.write(b"frame"), Some(Ok(())));
    let words = (&raw const *machine.ring).cast::<u64>();
    // SAFETY: the ring is longer than that.
    let word = |at: usize| unsafe { words.add(at / 8).read() };
    assert_eq!(word(0), 1, "one put, no answer taken");
    assert_eq!(word(128), 1 | 3 << 32, "a write to the device 3");
    assert_eq!(word(136), machine.slots.0.get().addr() as u64);
    assert_eq!(word(144), 5, "its length, and the first number");
    assert_eq!(machine.write(b"other"), Some(Ok(())));
    assert_eq!(word(160), 1 | 3 << 32);
    assert_eq!(word(176), 5 | 1 << 32, "its length, and the second number");
}

#[test]
fn frames_are_copied_and_come_in_order_round_and_round() {
    let machine = Machine::new();
    for round in 0..3 * REQUESTS as u32 {
        let mut frame = vec![round as u8; 1 + round as usize % SLOT];
        assert_eq!(machine.write(&frame), Some(Ok(())));
        let copy = frame.clone();
        frame.fill(0xee);
        assert_eq!(machine.take(), Some(copy));
        assert_eq!(machine.take(), None);
    }
}

#[test]
fn a_tender_that_is_behind_is_waited_for() {
    let machine = Machine::new();
    for place in 0..SLOTS as u8 {
        assert_eq!(machine.write(&[place]), Some(Ok(())));
    }
    assert_eq!(machine.write(&[99]), Some(Err(Error::Again)));
    assert_eq!(machine.take(), Some(vec![0]));
    assert_eq!(machine.write(&[99]), Some(Ok(())));
    assert_eq!(machine.write(&[100]), Some(Err(Error::Again)));
    assert_eq!(machine.ring.waiting(), SLOTS as u32);
}

#[test]
fn a_long_frame_overtakes_none() {
    let machine = Machine::new();
    let long = [7; SLOT + 1];
    assert_eq!(machine.write(&long), None, "a hypercall does it");
    assert_eq!(machine.write(&long[1..]), Some(Ok(())));
    assert_eq!(machine.write(&long), Some(Err(Error::Again)));
    machine.take();
    assert_eq!(machine.write(&long), None);
}

#[test]
fn a_tender_that_sleeps_is_woken_and_one_that_does_not_is_not() {
    let machine = Machine::new();
    let kicks = Cell::new(0);
    let write = || {
        let handle = Handle::new(3).expect("below 64");
        assert_eq!(machine.ring.put(&machine.slots, handle, b"x", || kicks.set(kicks.get() + 1)), Some(Ok(())));
    };
    write();
    assert_eq!(kicks.get(), 0);
    machine.ring.asleep.store(1, Ordering::Relaxed);
    write();
    assert_eq!(kicks.get(), 1);
}

#[test]
fn a_tender_that_lies_about_what_it_did_gets_no_more() {
    let machine = Machine::new();
    machine.ring.done.store(5, Ordering::Relaxed);
    assert_eq!(machine.write(b"x"), Some(Err(Error::Again)));
}

#[test]
fn the_numbers_may_wrap() {
    let machine = Machine::new();
    machine.ring.put.store(u32::MAX - 1, Ordering::Relaxed);
    machine.ring.done.store(u32::MAX - 1, Ordering::Relaxed);
    for n in 0..5 {
        assert_eq!(machine.write(&[n]), Some(Ok(())));
    }
    for n in 0..5 {
        assert_eq!(machine.take(), Some(vec![n]));
    }
}

#[test]
fn a_tender_on_another_thread_gets_every_frame_whole_and_in_order() {
    const FRAMES: u32 = 20_000;
    let machine = Machine::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..FRAMES {
                let frame = number.to_le_bytes().repeat(1 + number as usize % 300);
                while machine.write(&frame) != Some(Ok(())) {
                    std::thread::yield_now();
                }
            }
        });
        for number in 0..FRAMES {
            let frame = loop {
                match machine.take() {
                    Some(frame) => break frame,
                    None => std::thread::yield_now(),
                }
            };
            assert!(frame == number.to_le_bytes().repeat(1 + number as usize % 300), "frame {number}");
        }
    });
}
