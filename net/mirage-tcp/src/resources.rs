//! What all connections share.

use mirage_waker::{WaitList, WakerPool};

use crate::challenge::Challenges;
use crate::pool::Pool;
use crate::timers::Timers;
use crate::{Config, Stats};

/// What all connections share.
pub(crate) struct Resources<'s> {
    pub(crate) config: Config,
    pub(crate) pool: Pool<'s>,
    pub(crate) timers: Timers<'s>,
    pub(crate) wakers: WakerPool<'s>,
    /// Those who could not write because no block was free.
    pub(crate) starved: WaitList,
    pub(crate) challenges: Challenges,
    /// Only the counters; what is held is counted when it is asked for.
    pub(crate) stats: Stats,
}

impl Resources<'_> {
    /// Wakes those who wait for a block, if there is one again.
    #[inline]
    pub(crate) fn relieve(&mut self) {
        if self.wakers.waiting(&self.starved) && self.pool.spares(0) {
            self.wakers.wake(&mut self.starved);
        }
    }
}
