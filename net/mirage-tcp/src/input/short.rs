//! The segment that an exchange consists of, in one straight line: a few bytes in order, which acknowledge all that was sent.

use mirage_checksum::{SequenceNumber, Sum};
use mirage_clock::Instant;
use mirage_protocols::{Cast, Received};

use super::full_size;
use crate::connection::Slot;
use crate::facts::Facts;
use crate::recovery::News;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::sack::Blocks;
use crate::wire::{Flags, HEADER_LEN, STAMPED_LEN, word};
use crate::{Discard, Profile, State, Tcp, options};

/// Such segments are shorter than this, with a header that has timestamps. Others go another way.
pub(super) const END: usize = STAMPED_LEN + 128;

impl<P: Profile> Tcp<'_, P> {
    /// A short segment. Whom it is for is asked in the place of the call, where more is known of it.
    #[inline(always)]
    pub(super) fn input_short(&mut self, now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        let index = self.last;
        if received.cast == Cast::Unicast
            && let Some(slot) = self.connections.get_mut(index as usize)
            && let Some(pseudo) = slot.tuple.sum_if_of(received)
            && slot.input_short(&mut self.resources, now, received, pseudo)
        {
            if slot.todo != 0 {
                self.settle_elsewhere(index);
            }
            self.check(index);
            return Ok(());
        }
        self.input_any(now, received)
    }

    #[inline(never)]
    fn settle_elsewhere(&mut self, index: u32) {
        self.settle_here(index);
    }
}

impl<P: Profile> Slot<P> {
    /// Takes in such a segment as [`input_fast`](Self::input_fast) would; `false` when anything is unusual, and then nothing was
    /// done.
    // By itself, so that the compiler has registers for it.
    #[inline(never)]
    fn input_short(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        received: &Received<'_>,
        pseudo: u64,
    ) -> bool {
        let Some((header, payload)) = received.payload.split_first_chunk::<STAMPED_LEN>() else { return false };
        let word = |at| word(header, at);
        let (seq, ack, rest) = (SequenceNumber(word(4)), SequenceNumber(word(8)), word(12));
        let usual = (STAMPED_LEN as u32 / 4) << 28 | u32::from(Flags::ACK.bits()) << 16;
        let acked = ack.since(self.una);
        let Some((value, _)) = header.get(HEADER_LEN..).and_then(options::lone_stamps) else { return false };
        let ordinary = rest & !(u32::from(Flags::PSH.bits()) << 16 | 0xffff) == usual
            && self.facts & Facts::ANSWERS_UNUSUALLY.union(Facts::CALM) == Facts::CALM
            && self.state == State::Established
            && seq == self.rcv_nxt
            && ack == self.nxt
            && acked == self.send.len()
            && self.receive.is_empty()
            && self.quick_acks == 0
            && payload.len() <= self.receive_window() as usize
            && !self.stamps.is_old(now, value);
        if !ordinary {
            return false;
        }
        debug_assert!(self.watch != Watch::Persist, "nothing waits for the window");
        debug_assert!(resources.again.len == 0, "who read what came before has ended that");
        debug_assert!(!payload.is_empty(), "with selective acknowledgments a bare header goes another way");
        let sum = Sum::of_array(header).add_u64(pseudo + received.payload.len() as u64);
        if !self.receive.take_first(&mut resources.pool, payload, sum, received.checksum) {
            return false;
        }
        resources.stats.segments_in += 1;
        // What is known of the header by now, and the rest of it, is looked at again rather than kept.
        let (seq, ack, acked, len) = (self.rcv_nxt, self.nxt, self.send.len(), payload.len() as u32);
        self.stamps.keep(now, word(24), seq, self.acked_to);
        self.hear(now);
        if self.window_seq.at_or_before(seq) {
            self.window_seq = seq;
            let window = (word(12) & 0xffff) << self.send_scale;
            if window != self.window {
                self.change_window(resources, now, window);
            }
        }
        if acked > 0 && !(P::SELECTIVE && self.take_whole(resources, now, acked)) {
            self.take_news_elsewhere(resources, now, &News { ack, echo: Some(word(28)), duplicate: false });
        }
        let (full, waiting) = (u32::from(self.receive_mss), (self.rcv_nxt + len).since(self.acked_to));
        if received.segment_size.is_some() || len > full || waiting >= 2 * full {
            self.take_ordered_elsewhere(resources, now, len, full_size(received, payload.len()));
            return true;
        }
        // The usual part of `take_ordered`.
        self.rcv_nxt += len;
        self.repeats = 0;
        resources.wakers.wake(&mut self.readers);
        self.note_data(now);
        self.acknowledge_soon(resources, now);
        true
    }

    #[inline(never)]
    fn take_ordered_elsewhere(&mut self, resources: &mut Resources<'_>, now: Instant, len: u32, full: u16) {
        self.take_ordered(resources, now, len, full);
    }

    #[inline(never)]
    fn take_news_elsewhere(&mut self, resources: &mut Resources<'_>, now: Instant, news: &News) {
        self.take_news(resources, now, news, &Blocks::NONE);
    }
}
