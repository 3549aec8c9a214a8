//! The lines by which devices ring.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::Waker;

use crate::Bell;
use crate::machine::cpu::mmio::Mmio;
use crate::machine::single::Single;

/// The interrupt line of a device. A clone is the same line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line(u8);

/// What is known of a line.
struct Entry {
    waker: Cell<Option<Waker>>,
    /// Where the device wants to be told that its interrupt was seen.
    acknowledge: Cell<Option<Mmio<u32>>>,
}

/// How many lines there are. The last is the timer's.
pub(super) const LINES: u8 = 64;
/// The timer's.
pub(super) const TIMER: u8 = LINES - 1;
/// The vector of line 0.
pub(super) const FIRST_VECTOR: u8 = 0x30;

/// The lines that rang: one bit each, set by the handlers.
pub(super) static PENDING: AtomicU64 = AtomicU64::new(0);

// SAFETY: only the one processor uses it, and handlers do not.
static ENTRIES: Single<[Entry; TIMER as usize]> =
    unsafe { Single::new([const { Entry { waker: Cell::new(None), acknowledge: Cell::new(None) } }; TIMER as usize]) };
// SAFETY: as above.
static TAKEN: Single<Cell<u8>> = unsafe { Single::new(Cell::new(0)) };
// SAFETY: as above.
static POLLED: Single<Cell<u64>> = unsafe { Single::new(Cell::new(0)) };

impl Line {
    /// A line that nobody has; `None` when all 63 are taken.
    pub(crate) fn take() -> Option<Self> {
        let line = TAKEN.get();
        (line < TIMER).then(|| {
            TAKEN.set(line + 1);
            Self(line)
        })
    }

    /// The vector by which it interrupts.
    pub(crate) fn vector(self) -> u8 {
        FIRST_VECTOR + self.0
    }

    /// Writes all that a device may have interrupted for to `register` whenever the line rang, before anybody is woken.
    pub(crate) fn acknowledge_at(self, register: Mmio<u32>) {
        self.entry().acknowledge.set(Some(register));
    }

    /// Rings each time that anybody could have: for a device that cannot interrupt.
    pub(crate) fn poll_always(self) {
        POLLED.set(POLLED.get() | 1 << self.0);
    }

    fn entry(self) -> &'static Entry {
        // `take` gives no more lines than there are entries.
        &ENTRIES[usize::from(self.0)]
    }
}

impl Bell for Line {
    fn set_waker(&self, waker: &Waker) {
        let slot = &self.entry().waker;
        let old = slot.take();
        slot.set(Some(match old {
            Some(old) if old.will_wake(waker) => old,
            _ => waker.clone(),
        }));
    }
}

/// Whether a line that has no interrupt waits for being looked at.
pub(super) fn is_polling() -> bool {
    POLLED.get() != 0
}

/// Wakes whoever waits for a line that rang since the last call.
pub(super) fn ring() {
    let mut rang = (PENDING.swap(0, Ordering::Relaxed) | POLLED.get()) & !(1 << TIMER);
    while rang != 0 {
        let line = Line(rang.trailing_zeros() as u8);
        rang &= rang - 1;
        if let Some(register) = line.entry().acknowledge.get() {
            register.write(USED_BUFFER | CONFIGURATION);
        }
        if let Some(waker) = line.entry().waker.take() {
            waker.wake();
        }
    }
}

/// virtio 1.2 §4.2.2, InterruptACK.
const USED_BUFFER: u32 = 1;
const CONFIGURATION: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::sync::Arc;
    use alloc::task::Wake;
    use core::sync::atomic::AtomicUsize;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    // One test, since there is one set of lines.
    #[test]
    fn who_waits_is_woken_once_and_only_by_its_own_line() {
        let counts = [(); 3].map(|()| Arc::new(Count(AtomicUsize::new(0))));
        let seen = || counts.clone().map(|count| count.0.load(Ordering::Relaxed));
        let lines = [(); 3].map(|()| Line::take().expect("there are 63"));
        for (line, count) in lines.iter().zip(&counts) {
            line.set_waker(&count.clone().into());
        }
        assert_eq!(lines[1].vector(), 0x31);

        ring();
        assert_eq!(seen(), [0, 0, 0]);
        PENDING.fetch_or(0b010 | 1 << TIMER, Ordering::Relaxed);
        ring();
        assert_eq!(seen(), [0, 1, 0]);
        PENDING.fetch_or(0b010, Ordering::Relaxed);
        ring();
        assert_eq!(seen(), [0, 1, 0], "the waker was used up");

        lines[2].poll_always();
        assert!(is_polling());
        ring();
        assert_eq!(seen(), [0, 1, 1]);

        // A clone is the same line, and the last waker counts.
        #[allow(clippy::clone_on_copy, reason = "what a driver does")]
        lines[0].clone().set_waker(&counts[2].clone().into());
        PENDING.fetch_or(0b001, Ordering::Relaxed);
        ring();
        assert_eq!(seen(), [0, 1, 2]);

        assert_eq!(core::iter::from_fn(Line::take).count(), 60);
        assert_eq!(Line::take(), None);
        POLLED.set(0);
    }
}
