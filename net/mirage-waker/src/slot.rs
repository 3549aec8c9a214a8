//! The place of one waker in the pool.

use core::task::Waker;

/// No slot: the end of a list.
pub(crate) const NONE: u16 = u16::MAX;

/// Room for one waiting task, no larger than its waker. Each further task that waits for the same thing takes two.
#[derive(Debug)]
pub struct Slot {
    pub(crate) content: Content,
}

/// What a slot holds. Two variants, so that they are told apart without a word of their own.
#[derive(Debug)]
pub(crate) enum Content {
    /// The waker of a task.
    Waker(Waker),
    /// No waker, but where others are.
    Link {
        /// The waker of a waiter that is not the oldest of its list. `NONE`: the slot is free.
        waker: u16,
        /// The next older waiter, by its link, or by its waker if it is the oldest; of a free slot, the next free one or `NONE`.
        next: u16,
    },
}

// There are two for each connection.
const _: () = assert!(size_of::<Slot>() == size_of::<Waker>());

impl Slot {
    /// A slot that nobody uses: `[const { Slot::EMPTY }; 32]` is storage for a pool.
    pub const EMPTY: Self = Self::free(NONE);

    /// A free slot before the free slot `next`.
    pub(crate) const fn free(next: u16) -> Self {
        Self { content: Content::Link { waker: NONE, next } }
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self::EMPTY
    }
}
