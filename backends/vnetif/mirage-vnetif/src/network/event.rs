//! A frame under way, to be had in the order of time.

use core::cmp::Ordering;

use mirage_clock::Instant;

use super::Way;

/// A frame that reaches the other end of its link at `at`.
pub(super) struct Event {
    pub(super) at: Instant,
    pub(super) sequence: u64,
    pub(super) port: usize,
    pub(super) way: Way,
    pub(super) frame: Vec<u8>,
}

impl Event {
    fn key(&self) -> (Instant, u64) {
        (self.at, self.sequence)
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Event {}
