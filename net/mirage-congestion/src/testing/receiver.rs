//! The other end: it acknowledges every second segment, and at once what is out of order.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use mirage_clock::{Duration, Instant};

/// What an acknowledgement tells: each transmission that arrived since the last one.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrived {
    /// By number of the segment and of its transmission.
    pub(super) segments: Vec<(u64, u64)>,
    pub(super) marked: bool,
}

#[derive(Debug, Default)]
pub(super) struct Receiver {
    next: u64,
    early: BTreeSet<u64>,
    waiting: Arrived,
    /// When what waits is acknowledged all the same.
    pub(super) due: Option<Instant>,
}

impl Receiver {
    /// A segment arrived; an acknowledgement if one is to go now.
    pub(super) fn receive(&mut self, now: Instant, segment: u64, transmission: u64, marked: bool) -> Option<Arrived> {
        let in_order = segment == self.next && self.early.is_empty();
        if segment >= self.next {
            self.early.insert(segment);
        }
        while self.early.remove(&self.next) {
            self.next += 1;
        }
        self.waiting.segments.push((segment, transmission));
        self.waiting.marked |= marked;
        if in_order && !marked && self.waiting.segments.len() < 2 {
            self.due = Some(now + DELAY);
            return None;
        }
        Some(self.acknowledge())
    }

    pub(super) fn acknowledge(&mut self) -> Arrived {
        self.due = None;
        core::mem::take(&mut self.waiting)
    }
}

/// How long an acknowledgement may be kept back.
const DELAY: Duration = Duration::from_millis(40);
