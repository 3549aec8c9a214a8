//! Waiting with a deadline, with as few calls of the timer as can be.
//!
//! The deadlines of a network stack move on with each frame. A timer that runs out too early costs one call more, once;
//! one that were set anew at each wait would cost a call each time. So it is only ever set when it would come too late,
//! or when it has run out.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::kernel;
use crate::{Handle, ReadySet};

/// When the timer runs out; 0 before it is first set, so that the image need not carry it.
static SET: AtomicU64 = AtomicU64::new(0);
/// Whether it has. It stays ready until it is set again.
static RAN_OUT: AtomicBool = AtomicBool::new(false);

/// What epoll says of the timer, in the place of a handle.
const TIMER: u64 = 0xffff_fffe;

/// Waits until a device is ready or it is `deadline`; 0 only looks.
pub(super) fn poll(epoll: i32, timer: i32, deadline: u64) -> ReadySet {
    loop {
        let set = SET.load(Ordering::Relaxed);
        if deadline != 0 && (set == 0 || deadline < set || RAN_OUT.load(Ordering::Relaxed)) {
            kernel::set_timer(timer, deadline);
            SET.store(deadline, Ordering::Relaxed);
            RAN_OUT.store(false, Ordering::Relaxed);
        }
        let mut ready = ReadySet::EMPTY;
        let worked = kernel::wait(epoll, deadline != 0, |data| match data {
            TIMER => RAN_OUT.store(true, Ordering::Relaxed),
            data => {
                if let Some(handle) = usize::try_from(data).ok().and_then(Handle::new) {
                    ready.insert(handle);
                }
            }
        });
        // Only a timer that was set for an earlier deadline lets it go round.
        let early = RAN_OUT.load(Ordering::Relaxed) && SET.load(Ordering::Relaxed) < deadline;
        if !worked || !ready.is_empty() || !early {
            return ready;
        }
    }
}
