//! What the path is like.

use mirage_clock::Duration;

/// The path between sender and receiver: a link with a queue before it, and the way there and back.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// Bytes a second, headers included.
    pub rate: u64,
    /// From the end of the queue to the receiver, one way.
    pub there: Duration,
    /// From the receiver to the sender, one way.
    pub back: Duration,
    /// Bytes that may wait, headers included.
    pub queue: u64,
    /// How many of a million packets are lost at random, behind the link.
    pub losses: u32,
    /// Packets that find more bytes than this waiting are marked instead of left alone.
    pub mark_above: Option<u64>,
    /// Bytes of headers of each packet.
    pub headers: u32,
    /// What the random losses follow from.
    pub seed: u64,
}

impl Path {
    /// `megabits` a second, a round trip of `rtt` on an empty queue, a queue of 256 KiB, no losses but its own.
    pub const fn new(megabits: u64, rtt: Duration) -> Self {
        let half = Duration::from_nanos(rtt.as_nanos() / 2);
        Self {
            rate: megabits * 125_000,
            there: half,
            back: half,
            queue: 256 * 1024,
            losses: 0,
            mark_above: None,
            headers: 52,
            seed: 1,
        }
    }
}
