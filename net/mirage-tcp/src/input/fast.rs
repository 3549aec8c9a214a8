//! The common case in one straight line: an established connection, or one that closes, what comes is what is expected next,
//! and nothing is out of the ordinary (Van Jacobson's header prediction).

use mirage_checksum::{SequenceNumber, Sum};
use mirage_clock::Instant;
use mirage_protocols::Received;

use super::again::Again;
use super::full_size;
use crate::connection::{Slot, todo};
use crate::facts::Facts;
use crate::recovery::{News, Phase};
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::sack::Blocks;
use crate::wire::{Flags, HEADER_LEN, STAMPED_LEN, word};
use crate::{Discard, Profile, State, options};

impl<P: Profile> Slot<P> {
    /// Takes in data in order, an acknowledgement, or both, or the peer's end; its checksum is verified here unless it is `checked`. `None`
    /// when anything is unusual, and then nothing was done: nothing is read of a segment that is not looked at.
    #[inline]
    pub(super) fn input_fast(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        received: &Received<'_>,
        checked: bool,
    ) -> Option<Result<(), Discard>> {
        let header = received.payload.first_chunk::<HEADER_LEN>()?;
        let word = |at| word(header, at);
        let (seq, ack, rest) = (SequenceNumber(word(4)), SequenceNumber(word(8)), word(12));
        let stamped = P::TIMESTAMPS && self.stamps.is_on();
        let words = if stamped { STAMPED_LEN / 4 } else { HEADER_LEN / 4 } as u32;
        let usual = words << 28 | u32::from(Flags::ACK.bits()) << 16;
        let acked = ack.since(self.una);
        let fin = rest & u32::from(Flags::FIN.bits()) << 16 != 0;
        let established = self.state == State::Established;
        // Urgent data is read in line, so URG alone is nothing unusual; it is rare enough for the other path all the same.
        let ordinary = rest & !(u32::from((Flags::PSH | Flags::FIN).bits()) << 16 | 0xffff) == usual
            && (established || self.state.is_closing())
            && seq == self.rcv_nxt
            && acked <= self.in_flight()
            && !self.facts.intersects(Facts::HEARS_UNUSUALLY)
            && !self.receive.has_holes()
            && self.recovery.phase == Phase::Open
            && self.watch != Watch::Persist
            && (!P::MARKS || self.marks.is_ordinary(received.ecn));
        if !ordinary {
            return None;
        }
        let (mut stamp, mut echo, mut sum) = (0, None, self.tuple.pseudo_header());
        let payload;
        if stamped {
            let header;
            (header, payload) = received.payload.split_first_chunk::<STAMPED_LEN>()?;
            let (value, echoed) = options::lone_stamps(header.get(HEADER_LEN..)?)?;
            if self.stamps.is_old(now, value) {
                return None;
            }
            (stamp, echo, sum) = (value, Some(echoed), sum.add_sum(Sum::of_array(header)));
        } else {
            payload = received.payload.get(HEADER_LEN..)?;
            sum = sum.add_sum(Sum::of_array(header));
        }
        let len = payload.len();
        let fits = match len {
            // What moves nothing may be a duplicate acknowledgement.
            0 if fin => self.state.may_receive(),
            0 => acked > 0 || self.in_flight() == 0,
            _ => len <= self.receive_window() as usize && established && !(self.read_shut() || fin),
        };
        if !fits {
            return None;
        }
        sum = sum.add_u64(received.payload.len() as u64);
        let is_valid = match len {
            0 => checked || sum.is_valid(),
            _ => match self.receive.keep_offered(&mut resources.pool, received, payload, (!checked).then_some(sum)) {
                Some(is_valid) => is_valid,
                None if checked => self.receive.take_checked(&mut resources.pool, payload)?,
                None => self.receive.take_valid(&mut resources.pool, payload, Some(sum))?,
            },
        };
        if !is_valid {
            return Some(Err(Discard::BadChecksum));
        }
        if stamped {
            self.stamps.remember(now, stamp, seq, self.acked_to);
        }
        self.hear(now);
        // A segment that is sent again says nothing of the window if one behind it came before.
        if self.window_seq.at_or_before(seq) {
            self.window_seq = seq;
            let window = (rest & 0xffff) << self.send_scale;
            if window != self.window {
                self.change_window(resources, now, window);
            }
        }
        let queued = self.send.len();
        if acked > queued && !self.held() && P::SELECTIVE {
            self.take_last(resources, now, acked);
        } else if acked > 0
            && !(self.calm() && acked == queued && ack == self.nxt && self.take_whole(resources, now, acked))
        {
            let news = News { ack, echo, duplicate: false };
            self.take_news(resources, now, &news, &Blocks::NONE);
        }
        if fin {
            // Before ours is looked at: who has both does not begin to wait for theirs.
            self.take_fin(resources);
        }
        if !established && self.fin_acked() {
            self.on_fin_acked(resources, now);
        }
        match len {
            0 => {}
            _ => {
                self.take_ordered(resources, now, len as u32, full_size(received, len));
                // One that said nothing of the window is not like those behind it, which do.
                if len >= Again::LEAST && self.ack_now() && self.window_seq == seq {
                    resources.again.remember(received, stamped, sum);
                }
            }
        }
        if self.has_unsent() {
            self.todo |= todo::OUTPUT;
        }
        Some(Ok(()))
    }
}
