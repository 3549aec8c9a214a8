//! The place of one waker in the pool.

use core::task::Waker;

/// No slot: the end of a list.
pub(crate) const NONE: u16 = u16::MAX;

/// Room for one waiting task.
#[derive(Debug)]
pub struct Slot {
    /// Invariant: `None` exactly while the slot is in the pool's list of free ones.
    pub(crate) waker: Option<Waker>,
    /// The next older waiter of the same list, the next free slot, or `NONE`.
    pub(crate) next: u16,
}

impl Slot {
    /// A slot that nobody uses: `[const { Slot::EMPTY }; 32]` is storage for a pool.
    pub const EMPTY: Self = Self { waker: None, next: NONE };
}

impl Default for Slot {
    fn default() -> Self {
        Self::EMPTY
    }
}
