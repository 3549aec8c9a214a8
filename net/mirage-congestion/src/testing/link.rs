//! The bottleneck: a queue served at a fixed rate.

use mirage_clock::{Duration, Instant};

use super::Path;
use super::random::Random;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It reaches the receiver.
    Arrives {
        at: Instant,
        marked: bool,
    },
    Lost,
}

#[derive(Debug)]
pub(super) struct Link {
    path: Path,
    /// When everything that waits will be sent.
    free_at: Instant,
    random: Random,
    /// Packets that did not fit into the queue.
    pub(super) overflowed: u64,
}

impl Link {
    pub(super) fn new(path: Path) -> Self {
        Self { path, free_at: Instant::ZERO, random: Random::new(path.seed), overflowed: 0 }
    }

    /// A packet with `payload` bytes reaches the queue.
    pub(super) fn carry(&mut self, now: Instant, payload: u32) -> Fate {
        let waiting = self.waiting(now);
        let size = u64::from(payload + self.path.headers);
        if waiting + size > self.path.queue {
            self.overflowed += 1;
            return Fate::Lost;
        }
        let takes = Duration::from_nanos(size * 1_000_000_000 / self.path.rate);
        self.free_at = self.free_at.max(now) + takes;
        if self.random.happens(self.path.losses) {
            return Fate::Lost;
        }
        let marked = self.path.mark_above.is_some_and(|limit| waiting > limit);
        Fate::Arrives { at: self.free_at + self.path.there, marked }
    }

    /// The path is different from now on; what waits takes as long as it would have.
    pub(super) fn change(&mut self, path: Path) {
        self.path = path;
    }

    /// Bytes in the queue.
    pub(super) fn waiting(&self, now: Instant) -> u64 {
        let nanos = u128::from(self.free_at.since(now).as_nanos());
        (nanos * u128::from(self.path.rate) / 1_000_000_000) as u64
    }
}
