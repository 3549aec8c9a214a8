//! What a link does to the frames on it.

use core::ops::RangeInclusive;

use mirage_clock::{Duration, Instant};

/// What a link does to the frames of one direction. The default is a perfect wire: no delay, no loss, no limit.
///
/// A frame meets them in the order of the fields: it may be too long, get lost, wait in the queue, be damaged, be
/// doubled, and arrive late.
///
/// ```
/// use mirage_clock::Duration;
/// use mirage_vnetif::{Impairments, Loss};
///
/// let satellite = Impairments::default()
///     .with_loss(Loss::random(0.01))
///     .with_bandwidth(10_000_000, 64_000)
///     .with_delay(Duration::from_millis(300));
/// assert_eq!(satellite.delay, Duration::from_millis(300));
/// ```
#[derive(Clone, Debug)]
pub struct Impairments {
    /// Largest payload after the link header in bytes; a longer frame is dropped.
    pub mtu: usize,
    /// Ways to lose a frame, tried one after the other.
    pub losses: Vec<Loss>,
    /// Bits per second, or `None` for no limit. Only the bytes of frames count, not the gaps between them.
    pub bandwidth: Option<u64>,
    /// Bytes that may wait for the line when `bandwidth` is set; a frame that finds no room is dropped (drop-tail).
    /// A frame always has room on an idle line.
    pub queue: usize,
    /// Probability that one to three bits of a frame flip.
    pub corrupt: f64,
    /// Up to so many random bytes, chosen evenly, are appended to every frame, as devices do that round lengths up.
    pub trailing: u8,
    /// Probability that a frame arrives twice.
    pub duplicate: f64,
    /// How long a frame travels after it has left the queue.
    pub delay: Duration,
    /// A random part of this, chosen evenly, is added to `delay`. It never lets one frame overtake another.
    pub jitter: Duration,
    /// Probability that a frame is held back by `reorder_by`, so that later ones overtake it.
    pub reorder: f64,
    /// How long such a frame is held back.
    pub reorder_by: Duration,
}

impl Default for Impairments {
    fn default() -> Self {
        Self {
            mtu: usize::MAX,
            losses: Vec::new(),
            bandwidth: None,
            queue: usize::MAX,
            corrupt: 0.0,
            trailing: 0,
            duplicate: 0.0,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            reorder: 0.0,
            reorder_by: Duration::ZERO,
        }
    }
}

impl Impairments {
    /// Drops frames with more than `mtu` bytes after the link header.
    #[must_use]
    pub fn with_mtu(self, mtu: usize) -> Self {
        Self { mtu, ..self }
    }

    /// Adds a way to lose frames.
    #[must_use]
    pub fn with_loss(mut self, loss: Loss) -> Self {
        self.losses.push(loss);
        self
    }

    /// Limits the link to `bits` per second behind a queue of `queue` bytes.
    #[must_use]
    pub fn with_bandwidth(self, bits: u64, queue: usize) -> Self {
        Self { bandwidth: Some(bits), queue, ..self }
    }

    /// Flips one to three bits of a frame with this probability.
    #[must_use]
    pub fn with_corruption(self, probability: f64) -> Self {
        Self { corrupt: probability, ..self }
    }

    /// Appends up to `most` random bytes to every frame.
    #[must_use]
    pub fn with_trailing(self, most: u8) -> Self {
        Self { trailing: most, ..self }
    }

    /// Delivers a frame twice with this probability.
    #[must_use]
    pub fn with_duplication(self, probability: f64) -> Self {
        Self { duplicate: probability, ..self }
    }

    /// Lets every frame travel for `delay`.
    #[must_use]
    pub fn with_delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Adds a random part of `jitter` to the delay.
    #[must_use]
    pub fn with_jitter(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }

    /// Holds a frame back by `span` with this probability.
    #[must_use]
    pub fn with_reordering(self, probability: f64, span: Duration) -> Self {
        Self { reorder: probability, reorder_by: span, ..self }
    }
}

/// One way to lose frames.
#[derive(Clone, Debug)]
pub struct Loss {
    pub(crate) pattern: Pattern,
    /// Only frames of these lengths in bytes, link header included, are looked at.
    pub(crate) sizes: RangeInclusive<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Random(f64),
    EveryNth(u64),
    Blackout { from: Instant, until: Instant },
    Outage { after: u64, lasts: Duration },
}

impl Loss {
    /// Each frame is lost with this probability, independently of the others.
    pub fn random(probability: f64) -> Self {
        Self::by(Pattern::Random(probability))
    }

    /// The `n`-th, the 2`n`-th, … frame is lost; 0 loses none.
    pub fn every_nth(n: u64) -> Self {
        Self::by(Pattern::EveryNth(n))
    }

    /// Every frame is lost that is sent from `from` on and before `until`.
    pub fn blackout(from: Instant, until: Instant) -> Self {
        Self::by(Pattern::Blackout { from, until })
    }

    /// Once, after `after` bytes have passed, every frame is lost for `lasts`.
    pub fn outage(after: u64, lasts: Duration) -> Self {
        Self::by(Pattern::Outage { after, lasts })
    }

    /// Limits this to frames whose length in bytes, link header included, is in `sizes`. Others are neither lost nor
    /// counted.
    #[must_use]
    pub fn only(self, sizes: RangeInclusive<usize>) -> Self {
        Self { sizes, ..self }
    }

    fn by(pattern: Pattern) -> Self {
        Self { pattern, sizes: 0..=usize::MAX }
    }
}
