//! One direction of a link: what happens to a frame between its two ends.

use mirage_clock::{Duration, Instant};

use super::random::Random;
use crate::cable::LINK_HEADER;
use crate::impairments::{Impairments, Loss, Pattern};

/// What happened to the frames of one direction of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneCounts {
    /// Frames that were sent into this direction.
    pub sent: u64,
    /// Lost because the link was down.
    pub link_down: u64,
    /// Lost because they were longer than the MTU.
    pub too_long: u64,
    /// Lost by one of the [`losses`](Impairments::losses).
    pub lost: u64,
    /// Lost because the queue was full.
    pub queue_full: u64,
    /// Lost because the whole network has too many frames under way ([`Bounds::frames`](crate::Bounds)).
    pub overload: u64,
    /// Damaged.
    pub corrupted: u64,
    /// Sent on twice.
    pub duplicated: u64,
    /// Held back.
    pub reordered: u64,
}

pub(super) struct Lane {
    impairments: Impairments,
    /// For each of `impairments.losses` what it needs to remember.
    memories: Vec<Memory>,
    random: Random,
    /// When the line is idle again.
    busy_until: Instant,
    /// When the last frame arrives that was not held back: none may overtake it.
    last_arrival: Instant,
    pub(super) counts: LaneCounts,
}

#[derive(Clone, Copy, Default)]
struct Memory {
    /// Frames or bytes, as the pattern counts.
    passed: u64,
    until: Option<Instant>,
}

/// A frame and when it arrives.
pub(super) type Arrival = (Instant, Vec<u8>);

impl Lane {
    pub(super) fn new(impairments: Impairments, random: Random) -> Self {
        let mut lane = Self {
            impairments: Impairments::default(),
            memories: Vec::new(),
            random,
            busy_until: Instant::ZERO,
            last_arrival: Instant::ZERO,
            counts: LaneCounts::default(),
        };
        lane.impair(impairments);
        lane
    }

    /// Replaces the impairments; frames under way keep their time of arrival.
    pub(super) fn impair(&mut self, impairments: Impairments) {
        self.memories = vec![Memory::default(); impairments.losses.len()];
        self.impairments = impairments;
    }

    /// Sends `frame` at `now`: when and in what state it arrives, and its double.
    pub(super) fn pass(&mut self, now: Instant, mut frame: Vec<u8>) -> [Option<Arrival>; 2] {
        self.counts.sent += 1;
        if frame.len() > self.impairments.mtu.saturating_add(LINK_HEADER) {
            self.counts.too_long += 1;
            return [None, None];
        }
        if self.is_lost(now, frame.len()) {
            self.counts.lost += 1;
            return [None, None];
        }
        let Some(departure) = self.queue(now, frame.len()) else {
            self.counts.queue_full += 1;
            return [None, None];
        };
        self.damage(&mut frame);
        let double = self.random.chance(self.impairments.duplicate).then(|| frame.clone());
        let first = (self.arrival(departure), frame);
        let second = double.map(|double| {
            self.counts.duplicated += 1;
            (self.arrival(departure), double)
        });
        [Some(first), second]
    }

    fn is_lost(&mut self, now: Instant, len: usize) -> bool {
        let Self { impairments, memories, random, .. } = self;
        let mut losses = impairments.losses.iter().zip(memories).filter(|(loss, _)| loss.sizes.contains(&len));
        losses.any(|(loss, memory)| loss.takes(now, len, memory, random))
    }

    /// When the last bit of a frame has left the queue; `None` when it finds no room there.
    fn queue(&mut self, now: Instant, len: usize) -> Option<Instant> {
        let Some(bits) = self.impairments.bandwidth else {
            return Some(now);
        };
        let waiting = u128::from(self.busy_until.since(now).as_nanos()) * u128::from(bits) / BITS_NANOS;
        if waiting > 0 && waiting + len as u128 > self.impairments.queue as u128 {
            return None;
        }
        let nanos = len as u128 * BITS_NANOS / u128::from(bits.max(1));
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.busy_until = self.busy_until.max(now) + takes;
        Some(self.busy_until)
    }

    fn damage(&mut self, frame: &mut Vec<u8>) {
        if !frame.is_empty() && self.random.chance(self.impairments.corrupt) {
            self.counts.corrupted += 1;
            for _ in 0..=self.random.up_to(2) {
                let bit = self.random.up_to(frame.len() as u64 * 8 - 1);
                frame[(bit / 8) as usize] ^= 1 << (bit % 8);
            }
        }
        if self.impairments.trailing > 0 {
            for _ in 0..self.random.up_to(self.impairments.trailing.into()) {
                frame.push(self.random.next() as u8);
            }
        }
    }

    fn arrival(&mut self, departure: Instant) -> Instant {
        let Impairments { delay, jitter, reorder, reorder_by, .. } = self.impairments;
        let mut arrival = departure + delay;
        if !jitter.is_zero() {
            arrival += Duration::from_nanos(self.random.up_to(jitter.as_nanos()));
        }
        arrival = arrival.max(self.last_arrival);
        if self.random.chance(reorder) {
            self.counts.reordered += 1;
            return arrival + reorder_by;
        }
        self.last_arrival = arrival;
        arrival
    }
}

impl Loss {
    fn takes(&self, now: Instant, len: usize, memory: &mut Memory, random: &mut Random) -> bool {
        match self.pattern {
            Pattern::Random(probability) => random.chance(probability),
            Pattern::EveryNth(n) => {
                memory.passed += 1;
                n != 0 && memory.passed.is_multiple_of(n)
            }
            Pattern::Blackout { from, until } => from <= now && now < until,
            Pattern::Outage { after, lasts } => {
                if memory.passed < after {
                    memory.passed += len as u64;
                    return false;
                }
                now < *memory.until.get_or_insert(now + lasts)
            }
        }
    }
}

/// Bits in a byte times nanoseconds in a second.
const BITS_NANOS: u128 = 8 * 1_000_000_000;
