//! What all connections share.

use mirage_waker::{WaitList, WakerPool};

use crate::challenge::Challenges;
use crate::input::Again;
use crate::paths::Paths;
use crate::pool::{BLOCK_BYTES, Pool};
use crate::receive_queue::LEAST_ROOM;
#[cfg(doc)]
use crate::rto::patience;
use crate::runs::Runs;
use crate::servers::Servers;
use crate::timers::Timers;
use crate::transmit::Link;
use crate::{Config, Stats};

/// What all connections share.
pub(crate) struct Resources<'s> {
    pub(crate) config: Config,
    /// What [`Config::min_rto`] makes of the [patience] with round trips.
    pub(crate) patience: u32,
    pub(crate) pool: Pool<'s>,
    pub(crate) runs: Runs<'s>,
    pub(crate) timers: Timers<'s>,
    pub(crate) wakers: WakerPool<'s>,
    /// Those who could not write because no block was free.
    pub(crate) starved: WaitList,
    pub(crate) challenges: Challenges,
    /// Connections that took data with the SYN and whose peers have yet to acknowledge ours.
    pub(crate) fast_open_pending: u16,
    pub(crate) paths: Paths,
    /// The way of the SYN-ACK sent last: what begins there need not ask again.
    pub(crate) link: Link,
    /// What servers said of data with the SYN.
    pub(crate) servers: Servers<'s>,
    /// What the last segment was like, for the next.
    pub(crate) again: Again,
    /// Only the counters; what is held is counted when it is asked for.
    pub(crate) stats: Stats,
}

impl Resources<'_> {
    /// The largest window, in bytes, of a connection that holds `held` blocks, of which `received` for what came in: it may
    /// come to hold as many as are then still free beside the reserve. One is always for what comes in, even when what
    /// is to be sent fills the rest: otherwise two who both write would wait for each other for ever.
    pub(crate) fn share(&self, held: u32, received: u32) -> u32 {
        let least = 1u32.saturating_sub(received);
        let blocks = (self.pool.spare().saturating_sub(held) / 2).max(least).min(self.pool.free());
        blocks.saturating_mul((BLOCK_BYTES - LEAST_ROOM) as u32)
    }

    /// The window in a SYN or SYN-ACK, which is never scaled (RFC 7323 §2.2).
    pub(crate) fn first_window(&self) -> u16 {
        self.config.receive_window.min(self.share(0, 0)).min(0xffff) as u16
    }

    /// Wakes those who wait for a block, if there is one again.
    #[inline]
    pub(crate) fn relieve(&mut self) {
        if self.wakers.waiting(&self.starved) {
            self.wake_starved();
        }
    }

    #[cold]
    fn wake_starved(&mut self) {
        if self.pool.spares(0, true) {
            self.wakers.wake(&mut self.starved);
        }
    }
}
