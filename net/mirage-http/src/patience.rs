//! How long a slow peer is waited for.

use mirage_clock::{Duration, Instant};

/// A store of waiting time: waiting uses it up, bytes fill it again, up to what it began with.
///
/// So a peer may pause for as long as the whole store, and in the long run must keep to the rate; a fixed timeout per
/// byte would let it hold a connection for ever. Time that passes while nobody waits for the peer is not counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    left: Duration,
    most: Duration,
    per_byte: Duration,
    waiting: Option<Instant>,
}

impl Patience {
    /// Waits for `most`, and a second longer for every `rate` bytes.
    pub(crate) fn new(most: Duration, rate: u32) -> Self {
        Self { left: most, most, per_byte: Duration::from_secs(1) / u64::from(rate), waiting: None }
    }

    /// Begins to wait, or goes on; the wait ends at the returned time.
    #[inline]
    pub(crate) fn wait(&mut self, now: Instant) -> Instant {
        self.settle(now);
        self.waiting = Some(now);
        now + self.left
    }

    /// Whether a wait has begun and was not rewarded.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The wait brought `bytes`.
    #[inline]
    pub(crate) fn reward(&mut self, now: Instant, bytes: usize) {
        self.settle(now);
        self.refill(bytes);
    }

    /// `bytes` went without a wait.
    #[inline]
    pub(crate) fn refill(&mut self, bytes: usize) {
        self.left = (self.left + self.per_byte * bytes as u64).min(self.most);
    }

    #[inline]
    fn settle(&mut self, now: Instant) {
        if let Some(since) = self.waiting.take() {
            self.left = self.left - now.since(since);
        }
    }
}
