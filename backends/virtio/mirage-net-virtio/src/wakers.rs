//! Who waits for the device: each half has a waker, the device has one bell.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;

/// Which half waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Receive,
    Transmit,
}

/// The last waker of each half.
#[derive(Default)]
pub(crate) struct Wakers {
    receive: Cell<Option<Waker>>,
    transmit: Cell<Option<Waker>>,
    /// What the bell has.
    ring: Cell<Option<Arc<Ring>>>,
}

/// What the bell wakes: whoever waits. It remembers that it rang.
struct Ring {
    rang: AtomicBool,
    one: Waker,
    /// Mostly one task has both halves.
    other: Option<Waker>,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rang.store(true, Ordering::Relaxed);
        self.one.wake_by_ref();
        if let Some(other) = &self.other {
            other.wake_by_ref();
        }
    }
}

impl Ring {
    /// Whether it wakes these two, of which the second may be the first again.
    fn wakes(&self, one: &Waker, other: Option<&Waker>) -> bool {
        let other = other.filter(|other| !other.will_wake(one));
        self.one.will_wake(one)
            && match (&self.other, other) {
                (Some(kept), Some(other)) => kept.will_wake(other),
                (None, None) => true,
                _ => false,
            }
    }
}

impl Wakers {
    /// Keeps `waker` in the place of the last one of its half, and hands `set` one that wakes whoever waits.
    pub(crate) fn wait(&self, side: Side, waker: &Waker, set: impl FnOnce(&Waker)) {
        let (own, beside) = self.places(side);
        let other = beside.take();
        let ring = self.ring.take().filter(|ring| ring.wakes(waker, other.as_ref()));
        let ring = ring.unwrap_or_else(|| {
            let other = other.as_ref().filter(|other| !other.will_wake(waker)).cloned();
            Arc::new(Ring { rang: AtomicBool::new(false), one: waker.clone(), other })
        });
        own.set(Some(waker.clone()));
        beside.set(other);
        set(&Waker::from(ring.clone()));
        self.ring.set(Some(ring));
    }

    /// This half waits no more.
    pub(crate) fn done(&self, side: Side) {
        self.places(side).0.set(None);
    }

    /// Whether the bell rang since the last time.
    pub(crate) fn rang(&self) -> bool {
        let ring = self.ring.take();
        let rang = ring.as_ref().is_some_and(|ring| ring.rang.swap(false, Ordering::Relaxed));
        self.ring.set(ring);
        rang
    }

    fn places(&self, side: Side) -> (&Cell<Option<Waker>>, &Cell<Option<Waker>>) {
        match side {
            Side::Receive => (&self.receive, &self.transmit),
            Side::Transmit => (&self.transmit, &self.receive),
        }
    }
}

#[cfg(test)]
mod tests {
    use mirage_net::testing::Wakes;

    use super::*;

    fn ring(wakers: &Wakers, side: Side, waker: &Waker) {
        wakers.wait(side, waker, Waker::wake_by_ref);
    }

    #[test]
    fn the_bell_wakes_both_halves_and_each_only_by_its_last_waker() {
        let wakers = Wakers::default();
        let (old, receive, transmit) = (Wakes::new(), Wakes::new(), Wakes::new());
        ring(&wakers, Side::Receive, old.waker());
        ring(&wakers, Side::Receive, receive.waker());
        ring(&wakers, Side::Transmit, transmit.waker());
        assert_eq!((old.count(), receive.count(), transmit.count()), (1, 2, 1));
        ring(&wakers, Side::Receive, receive.waker());
        assert_eq!((receive.count(), transmit.count()), (3, 2));
        wakers.done(Side::Transmit);
        ring(&wakers, Side::Receive, receive.waker());
        assert_eq!((receive.count(), transmit.count()), (4, 2));
    }

    #[test]
    fn one_task_with_both_halves_is_woken_once() {
        let (wakers, task) = (Wakers::default(), Wakes::new());
        ring(&wakers, Side::Receive, task.waker());
        ring(&wakers, Side::Transmit, task.waker());
        assert_eq!(task.count(), 2);
    }

    #[test]
    fn that_it_rang_is_told_once() {
        let (wakers, task) = (Wakers::default(), Wakes::new());
        assert!(!wakers.rang());
        wakers.wait(Side::Receive, task.waker(), |_| ());
        assert!(!wakers.rang());
        ring(&wakers, Side::Receive, task.waker());
        assert!(wakers.rang() && !wakers.rang());
    }
}
