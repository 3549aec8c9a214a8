//! Who waits for the device: each half has a waker, the device has one bell.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::cell::Cell;
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
}

/// Two tasks.
struct Both(Waker, Waker);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}

impl Wakers {
    /// Keeps `waker` in the place of the last one of its half, and hands `set` one that wakes whoever waits.
    pub(crate) fn wait(&self, side: Side, waker: &Waker, set: impl FnOnce(&Waker)) {
        let (own, other) = self.places(side);
        let kept = own.take().filter(|kept| kept.will_wake(waker)).unwrap_or_else(|| waker.clone());
        let beside = other.take();
        match &beside {
            // Mostly one task has both halves.
            Some(beside) if !beside.will_wake(waker) => {
                set(&Waker::from(Arc::new(Both(kept.clone(), beside.clone()))));
            }
            _ => set(&kept),
        }
        own.set(Some(kept));
        other.set(beside);
    }

    /// This half waits no more.
    pub(crate) fn done(&self, side: Side) {
        self.places(side).0.set(None);
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
}
