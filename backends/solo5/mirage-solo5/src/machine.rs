//! The machine as its devices and its run loop share it.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::task::Waker;

use mirage_clock::Instant;

use crate::{Abi, Boot, Devices, Handle, ReadySet};

/// What a waker waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakes {
    /// A frame.
    Frame,
    /// Room for one.
    Room,
}

/// The machine as its devices and its run loop share it. A handle: clones are the same machine.
pub struct Machine<A> {
    inner: Rc<Inner>,
    abi: PhantomData<A>,
}

struct Inner {
    devices: Devices,
    /// By handle. Taken out while it is looked at, which is never while foreign code runs.
    waiting: Cell<Vec<Waiting>>,
    /// Devices that somebody opened.
    claimed: Cell<ReadySet>,
    /// Devices that took no frame.
    stuck: Cell<ReadySet>,
    /// When the stuck ones shall be tried again; `u64::MAX` when none is.
    retry_at: Cell<u64>,
}

#[derive(Default)]
struct Waiting {
    frame: Option<Waker>,
    room: Option<Waker>,
}

impl<A: Abi> Machine<A> {
    /// The machine that was started so.
    pub fn new(boot: &Boot) -> Self {
        let devices = boot.devices();
        let inner = Rc::new(Inner {
            devices,
            waiting: Cell::new((0..devices.len()).map(|_| Waiting::default()).collect()),
            claimed: Cell::default(),
            stuck: Cell::default(),
            retry_at: Cell::new(NEVER),
        });
        Self { inner, abi: PhantomData }
    }

    /// The devices that were attached.
    pub fn devices(&self) -> Devices {
        self.inner.devices
    }

    /// The time on the monotonic clock.
    #[inline]
    pub fn now(&self) -> Instant {
        Instant::from_nanos(A::monotonic())
    }

    /// Waits until a frame is there, a device that was stuck is to be tried again, or it is `until`, and wakes the tasks
    /// concerned. `None` waits without end, a time in the past only looks; [`Instant::ZERO`] does that at the least
    /// cost.
    ///
    /// It ends at once while frames wait in a device whose owner does not wait for them: the interface has no way to
    /// leave out a device.
    pub fn wait(&self, until: Option<Instant>) {
        let inner = &*self.inner;
        let until = until.map_or(NEVER, Instant::as_nanos);
        let retry_at = inner.retry_at.get();
        let ready = A::poll(until.min(retry_at));
        for handle in ready {
            if inner.claimed.get().contains(handle) {
                inner.wake(handle, Wakes::Frame);
            } else {
                discard::<A>(handle);
            }
        }
        if retry_at != NEVER && A::monotonic() >= retry_at {
            inner.retry_at.set(NEVER);
            for handle in inner.stuck.take() {
                // Who waits for frames is often the one who would send: it must know too.
                inner.wake(handle, Wakes::Room);
                inner.wake(handle, Wakes::Frame);
            }
        }
    }

    /// Makes the device of this handle the caller's; `false` when it is somebody's already.
    pub fn claim(&self, handle: Handle) -> bool {
        let mut claimed = self.inner.claimed.get();
        let free = !claimed.contains(handle);
        claimed.insert(handle);
        self.inner.claimed.set(claimed);
        free
    }

    /// Keeps `waker` in the place of the last one, to be woken once: by a frame for the device, or when the device, which
    /// took no frame, is to be tried again.
    pub fn set_waker(&self, handle: Handle, wakes: Wakes, waker: &Waker) {
        // Wakers are foreign code that may come back to this machine: nothing is taken out when one is cloned or goes.
        let old = self.inner.exchange(handle, wakes, None);
        let new = old.filter(|old| old.will_wake(waker)).unwrap_or_else(|| waker.clone());
        self.inner.exchange(handle, wakes, Some(new));
    }

    /// The device took no frame. The interface cannot wait until it will, so whoever waits for it is woken after 100 µs,
    /// to try again.
    pub fn retry(&self, handle: Handle) {
        let mut stuck = self.inner.stuck.get();
        stuck.insert(handle);
        self.inner.stuck.set(stuck);
        if self.inner.retry_at.get() == NEVER {
            self.inner.retry_at.set(A::monotonic().saturating_add(RETRY));
        }
    }
}

impl Inner {
    fn wake(&self, handle: Handle, wakes: Wakes) {
        if let Some(waker) = self.exchange(handle, wakes, None) {
            waker.wake();
        }
    }

    /// Puts `waker` in the place of what waits, and gives that.
    #[inline(never)]
    fn exchange(&self, handle: Handle, wakes: Wakes, waker: Option<Waker>) -> Option<Waker> {
        let mut waiting = self.waiting.take();
        let place = waiting.get_mut(handle.index()).map(|place| match wakes {
            Wakes::Frame => &mut place.frame,
            Wakes::Room => &mut place.room,
        });
        let old = match place {
            Some(place) => core::mem::replace(place, waker),
            // Nobody waits for a device that is not there.
            None => waker,
        };
        // What is there now is empty: nothing to drop.
        core::mem::forget(self.waiting.replace(waiting));
        old
    }
}

/// Reads what came to a device that nobody opened: else no wait would ever be one.
fn discard<A: Abi>(handle: Handle) {
    let mut start = [0; 64];
    for _ in 0..DISCARDED_AT_ONCE {
        if A::net_read(handle, &mut start).is_err() {
            return;
        }
    }
}

const NEVER: u64 = u64::MAX;
/// How long a device that took no frame is left alone, in nanoseconds.
const RETRY: u64 = 100_000;
const DISCARDED_AT_ONCE: u32 = 64;

impl<A> Clone for Machine<A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), abi: PhantomData }
    }
}

impl<A> fmt::Debug for Machine<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("devices", &self.inner.devices).finish_non_exhaustive()
    }
}
