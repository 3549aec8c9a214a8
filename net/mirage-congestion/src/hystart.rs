//! HyStart++: leaving slow start when round trips become longer, before anything is lost (RFC 9406).

use mirage_clock::Duration;

use crate::Ack;

/// Watches the round trips of a connection's first slow start.
///
/// When the shortest of a round is clearly longer than that of the round before, a queue is building up: growth becomes four
/// times slower, and if the round trips do not become shorter again within five rounds, slow start is over. Times are held in
/// microseconds, of which a `u32` counts 71 minutes.
#[derive(Clone, Copy, Debug)]
pub struct HyStart {
    /// Shortest of the last round; `UNKNOWN` when it had too few samples or none.
    last: u32,
    /// Shortest of this round so far.
    current: u32,
    /// What the round trips must fall below for growth to become fast again.
    baseline: u32,
    /// Samples of this round, up to `SAMPLES`.
    samples: u8,
    /// Rounds of slower growth begun; 0 while growth is fast.
    slow_rounds: u8,
}

impl HyStart {
    /// Before the first acknowledgement.
    pub const fn new() -> Self {
        Self { last: UNKNOWN, current: UNKNOWN, baseline: UNKNOWN, samples: 0, slow_rounds: 0 }
    }

    /// By how many bytes an acknowledgement opens the window; `None`: slow start is over, and the threshold is the window as
    /// it is.
    ///
    /// All that was delivered counts, however few acknowledgements told of it: `L` of RFC 9406 §4.3 is infinite, as in Linux,
    /// since many receivers acknowledge dozens of segments at once. To be called for each acknowledgement outside recovery,
    /// also for those after which the window may not grow.
    #[inline(always)]
    pub fn grow(&mut self, ack: &Ack) -> Option<u32> {
        if ack.round {
            self.last = self.current;
            self.current = UNKNOWN;
            self.samples = 0;
            if self.slow_rounds > 0 {
                self.slow_rounds += 1;
                if self.slow_rounds > SLOW_ROUNDS {
                    return None;
                }
            }
        }
        if let Some(rtt) = ack.rtt {
            self.sample(rtt);
        }
        let bytes = ack.delivered;
        Some(if self.slow_rounds > 0 { bytes / GROWTH_DIVISOR } else { bytes })
    }

    /// Whether growth is slowed down: a queue seems to build up.
    pub fn is_slowed(&self) -> bool {
        self.slow_rounds > 0
    }

    #[inline(always)]
    fn sample(&mut self, rtt: Duration) {
        let micros = rtt.as_micros().min(u64::from(UNKNOWN - 1)) as u32;
        self.current = self.current.min(micros);
        self.samples = (self.samples + 1).min(SAMPLES);
        if self.samples < SAMPLES {
            return;
        }
        if self.slow_rounds > 0 {
            if self.current < self.baseline {
                // RFC 9406 §4.2: leaving fast growth was a mistake.
                self.baseline = UNKNOWN;
                self.slow_rounds = 0;
            }
        } else if self.last != UNKNOWN {
            let longer = (self.last / RTT_DIVISOR).clamp(LEAST_LONGER, MOST_LONGER);
            if self.current >= self.last.saturating_add(longer) {
                self.baseline = self.current;
                self.slow_rounds = 1;
            }
        }
    }
}

impl Default for HyStart {
    fn default() -> Self {
        Self::new()
    }
}

/// Not measured.
const UNKNOWN: u32 = u32::MAX;

// RFC 9406 §4.3, "Tuning Constants and Other Considerations".
const LEAST_LONGER: u32 = 4_000;
const MOST_LONGER: u32 = 16_000;
const RTT_DIVISOR: u32 = 8;
const SAMPLES: u8 = 8;
const GROWTH_DIVISOR: u32 = 4;
const SLOW_ROUNDS: u8 = 5;
