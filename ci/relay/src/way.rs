//! One direction of the link.

use std::collections::BTreeMap;

use mirage_clock::{Duration, Instant};

/// What happens to frames: shares of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) loss: u64,
    pub(crate) double: u64,
    /// So many take longer, up to three milliseconds.
    pub(crate) reorder: u64,
    pub(crate) delay: Duration,
}

/// Frames under way.
pub(crate) struct Way {
    faults: Faults,
    random: u64,
    /// By arrival, and by number among those that arrive together.
    frames: BTreeMap<(Instant, u64), Vec<u8>>,
    count: u64,
}

impl Way {
    pub(crate) fn new(faults: Faults, seed: u64) -> Self {
        Self { faults, random: seed, frames: BTreeMap::new(), count: 0 }
    }

    pub(crate) fn send(&mut self, now: Instant, frame: Vec<u8>) {
        let Faults { loss, double, reorder, delay } = self.faults;
        if self.happens(loss) || self.frames.len() >= CAPACITY {
            return;
        }
        let copies = if self.happens(double) { 2 } else { 1 };
        for _ in 0..copies {
            let extra = if self.happens(reorder) { self.draw() % 3_000_000 } else { 0 };
            self.count += 1;
            self.frames.insert((now + delay + Duration::from_nanos(extra), self.count), frame.clone());
        }
    }

    /// When the next frame arrives.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.frames.keys().next().map(|(at, _)| *at)
    }

    /// The next frame that has arrived.
    pub(crate) fn receive(&mut self, now: Instant) -> Option<Vec<u8>> {
        let entry = self.frames.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    fn happens(&mut self, share: u64) -> bool {
        self.draw() % 1000 < share
    }

    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Frames that may be under way.
const CAPACITY: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(faults: Faults) -> Vec<usize> {
        let mut way = Way::new(faults, 1);
        let mut now = Instant::ZERO;
        let mut arrived = Vec::new();
        for number in 0..10_000_usize {
            now += Duration::from_micros(100);
            way.send(now, number.to_le_bytes().to_vec());
            while let Some(frame) = way.receive(now) {
                arrived.push(usize::from_le_bytes(frame.try_into().expect("eight bytes")));
            }
        }
        arrived
    }

    #[test]
    fn a_good_link_changes_nothing() {
        assert!(numbers(Faults::default()).into_iter().eq(0..10_000));
    }

    #[test]
    fn frames_are_lost_and_doubled_as_often_as_it_says() {
        let lost = 10_000 - numbers(Faults { loss: 50, ..Faults::default() }).len();
        let doubled = numbers(Faults { double: 50, ..Faults::default() }).len() - 10_000;
        assert!((400..600).contains(&lost) && (400..600).contains(&doubled), "{lost} {doubled}");
    }

    #[test]
    fn some_frames_are_overtaken() {
        let arrived = numbers(Faults { reorder: 50, ..Faults::default() });
        let overtaken = arrived.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!((300..600).contains(&overtaken), "{overtaken}");
    }
}
