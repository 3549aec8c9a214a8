//! The head of one waiting list.

use crate::slot::NONE;

/// Those who wait for one thing: two bytes, kept where the thing is kept. The wakers themselves lie in a
/// [`WakerPool`](crate::WakerPool).
///
/// A list belongs to the one pool it was first registered in; with another pool it would wake strangers, which is
/// harmless to memory and confusing to everybody. A list that is dropped while somebody waits leaves its slots
/// taken: [`wake`](crate::WakerPool::wake) or [`clear`](crate::WakerPool::clear) it first.
#[derive(Debug, PartialEq, Eq)]
pub struct WaitList {
    /// The waiter that came last, or `NONE`: its waker if it waits alone, else its link, which names the one before it.
    pub(crate) newest: u16,
}

impl WaitList {
    /// Nobody waits.
    pub const EMPTY: Self = Self { newest: NONE };
}

impl Default for WaitList {
    fn default() -> Self {
        Self::EMPTY
    }
}
