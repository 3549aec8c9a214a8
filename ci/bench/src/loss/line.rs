//! One direction of a long way: a rate, a queue that drops what does not fit, random loss, and a delay.

use std::collections::VecDeque;

/// What a direction does to frames.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    /// Bits a second.
    pub(crate) rate: u64,
    /// Nanoseconds from the end of the queue to the other side.
    pub(crate) delay: u64,
    /// Bytes that may wait.
    pub(crate) queue: u64,
    /// Share of frames that is lost at random, before the queue.
    pub(crate) loss: f64,
}

/// Frames under way. Times are nanoseconds.
pub(crate) struct Line {
    path: Path,
    /// Oldest first, each with its arrival.
    frames: VecDeque<(u64, Vec<u8>)>,
    /// When the last frame of the queue has left it.
    free_at: u64,
    random: u64,
}

impl Line {
    pub(crate) fn new(path: Path, seed: u64) -> Self {
        Self { path, frames: VecDeque::new(), free_at: 0, random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// Takes a frame that occupies `len` bytes of the line.
    pub(crate) fn send(&mut self, now: u64, frame: Vec<u8>, len: usize) {
        if self.path.loss > 0.0 && self.draw() < self.path.loss {
            return;
        }
        let bits = |nanos: u64| u128::from(nanos) * u128::from(self.path.rate) / 1_000_000_000;
        let waiting = bits(self.free_at.saturating_sub(now)) as u64 / 8;
        if waiting + len as u64 > self.path.queue {
            return;
        }
        let took = len as u64 * 8 * 1_000_000_000 / self.path.rate;
        self.free_at = self.free_at.max(now) + took;
        self.frames.push_back((self.free_at + self.path.delay, frame));
    }

    /// When the next frame arrives.
    pub(crate) fn next(&self) -> Option<u64> {
        self.frames.front().map(|(at, _)| *at)
    }

    /// The next frame that has arrived.
    pub(crate) fn receive(&mut self, now: u64) -> Option<Vec<u8>> {
        self.frames.pop_front_if(|(at, _)| *at <= now).map(|(_, frame)| frame)
    }

    /// A number from 0 to 1 (xorshift64*).
    fn draw(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
