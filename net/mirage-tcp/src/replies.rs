//! Segments that belong to no connection: answers to strangers, and last words.

use heapless::Deque;
use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};

use crate::cookies::Told;
use crate::demux::Tuple;
use crate::stamps::Stamps;
use crate::wire::{Flags, Header, Segment};
use crate::{Cookie, Profile};

/// A segment without data that waits to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    pub(crate) tuple: Tuple,
    pub(crate) seq: SequenceNumber,
    pub(crate) ack: SequenceNumber,
    pub(crate) flags: Flags,
    /// The bit beside the flags (RFC 9768).
    pub(crate) accurate: bool,
    /// In a SYN-ACK: we tell how many bytes came marked.
    pub(crate) marked: bool,
    pub(crate) window: u16,
    /// In a SYN-ACK: our window scale, if it goes with one.
    pub(crate) window_scale: Option<u8>,
    /// In a SYN-ACK: we understand selective acknowledgments.
    pub(crate) selective: bool,
    /// In a SYN-ACK: what the peer may send data with its next SYN for.
    pub(crate) cookie: Option<Cookie>,
    /// What our timestamps are apart from our clock, and the echo of the peer's, if they go with it.
    pub(crate) stamps: Option<(u32, u32)>,
    /// In a SYN-ACK with a cookie: what the timestamp carries.
    pub(crate) told: Option<Told>,
}

impl Reply {
    /// The reset that answers a segment for no connection (RFC 9293 §3.10.7.1), unless it is a reset itself.
    pub(crate) fn reset(tuple: Tuple, segment: &Segment<'_>) -> Option<Self> {
        if segment.flags.contains(Flags::RST) {
            return None;
        }
        let (seq, ack, flags) = if segment.flags.contains(Flags::ACK) {
            // "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>"
            (segment.ack, SequenceNumber(0), Flags::RST)
        } else {
            // "If the ACK bit is off, sequence number zero is used, <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>"
            (SequenceNumber(0), segment.end(), Flags::RST | Flags::ACK)
        };
        Some(Self { flags, ..Self::ack(tuple, seq, ack, 0) })
    }

    /// An acknowledgement.
    pub(crate) fn ack(tuple: Tuple, seq: SequenceNumber, ack: SequenceNumber, window: u16) -> Self {
        Self {
            tuple,
            seq,
            ack,
            flags: Flags::ACK,
            accurate: false,
            marked: false,
            window,
            window_scale: None,
            selective: false,
            cookie: None,
            stamps: None,
            told: None,
        }
    }

    /// An acknowledgement with the timestamps of the connection, if it has them.
    pub(crate) fn stamped<P: Profile>(
        tuple: Tuple,
        seq: SequenceNumber,
        ack: SequenceNumber,
        window: u16,
        stamps: &Stamps,
    ) -> Self {
        Self { stamps: stamps.told::<P>(), ..Self::ack(tuple, seq, ack, window) }
    }

    /// Its header.
    #[inline(always)]
    pub(crate) fn header(&self) -> Header {
        Header {
            source_port: self.tuple.local_port,
            destination_port: self.tuple.remote_port,
            seq: self.seq,
            ack: self.ack,
            flags: self.flags,
            accurate: self.accurate,
            window: self.window,
        }
    }

    /// The same as a reset.
    pub(crate) fn resetting(self) -> Self {
        Self { flags: Flags::RST | Flags::ACK, ..self }
    }
}

/// Replies that wait to be sent: at most [`Replies::CAPACITY`], further ones are dropped, which peers take as loss.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    waiting: Deque<Waiting, { Self::CAPACITY }>,
    /// How many wait: asked far more often than changed.
    count: u8,
    pub(crate) dropped: u64,
}

/// What waits to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waiting {
    /// The SYN-ACK of the handshake in this slot, if it is still the one with this number.
    SynAck(u32, SequenceNumber),
    /// Anything else.
    Other(Reply),
}

impl Replies {
    /// How many replies wait at most between two calls of `poll_transmit`.
    pub(crate) const CAPACITY: usize = 64;

    /// Queues a reply, if there is room.
    pub(crate) fn push(&mut self, reply: Reply) {
        self.queue(Waiting::Other(reply));
    }

    /// The same for the SYN-ACK of a handshake: what it says is put together when it is sent.
    pub(crate) fn push_syn_ack(&mut self, handshake: u32, iss: SequenceNumber) {
        self.queue(Waiting::SynAck(handshake, iss));
    }

    fn queue(&mut self, waiting: Waiting) {
        match self.waiting.push_back(waiting) {
            Ok(()) => self.count += 1,
            Err(_) => self.dropped += 1,
        }
    }

    /// The oldest.
    pub(crate) fn first(&self) -> Option<&Waiting> {
        self.waiting.front()
    }

    /// Forgets the oldest: it was sent.
    pub(crate) fn pop(&mut self) {
        if self.waiting.pop_front().is_some() {
            self.count -= 1;
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// So many in a second and no more, with at most a second's worth at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PerSecond {
    limit: u16,
    left: u16,
    since: Instant,
}

impl PerSecond {
    /// At most `limit` in each second.
    pub(crate) const fn new(limit: u16) -> Self {
        Self { limit, left: limit, since: Instant::ZERO }
    }

    /// Whether one more is allowed now.
    pub(crate) fn allow(&mut self, now: Instant) -> bool {
        if now.since(self.since) >= Duration::from_secs(1) {
            (self.since, self.left) = (now, self.limit);
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}
