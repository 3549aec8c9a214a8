//! The common case in one straight line: an established connection, what comes is what is expected next, and nothing is
//! out of the ordinary (Van Jacobson's header prediction).

use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_net::ReceivedChecksum;
use mirage_protocols::Received;

use crate::connection::{Slot, todo};
use crate::recovery::{News, Phase};
use crate::resources::Resources;
use crate::sack::Blocks;
use crate::wire::{Flags, Segment};
use crate::{Discard, Profile, State};

impl<P: Profile> Slot<P> {
    /// Takes in data in order, an acknowledgement, or both, whose checksum was not verified yet; `None` when anything is
    /// unusual, and then nothing was done.
    #[inline]
    pub(super) fn input_fast(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        received: &Received<'_>,
        segment: &Segment<'_>,
        full: u16,
    ) -> Option<Result<(), Discard>> {
        let acked = segment.ack.since(self.una);
        let len = segment.payload.len();
        let ordinary = self.state == State::Established
            && segment.flags.intersection(UNUSUAL) == Flags::ACK
            && segment.seq == self.rcv_nxt
            && acked <= self.in_flight()
            && len <= self.receive_window() as usize
            && (len > 0 || acked > 0)
            && !self.read_shut
            && !self.fin_early
            && self.receive.ooo_bytes() == 0
            && self.recovery.phase == Phase::Open
            && !(P::FAST_OPEN && self.unconfirmed)
            && (!P::MARKS || self.marks.is_ordinary(segment.ecn));
        if !ordinary {
            return None;
        }
        let (mut stamp, mut echo) = (0, None);
        if P::TIMESTAMPS && self.stamps.is_on() {
            let (value, echoed) = segment.lone_stamps()?;
            if self.stamps.is_old(now, value) {
                return None;
            }
            stamp = value;
            echo = Some(echoed);
        } else if !segment.options.is_empty() {
            return None;
        }
        let mut staged = None;
        if received.checksum == ReceivedChecksum::Unchecked {
            let mut sum = Sum::ZERO;
            if len > 0 {
                let (block, payload) = self.receive.stage(&mut resources.pool, segment.payload)?;
                (staged, sum) = (Some(block), payload);
            }
            if !segment.is_intact_with(received, sum) {
                if let Some(block) = staged {
                    self.receive.abandon(&mut resources.pool, block);
                }
                return Some(Err(Discard::BadChecksum));
            }
        }
        if P::TIMESTAMPS && self.stamps.is_on() {
            self.stamps.remember(now, stamp, segment.seq, self.acked_to);
        }
        self.hear(now);
        self.window_seq = segment.seq;
        let window = u32::from(segment.window) << self.send_scale;
        if window != self.window {
            self.change_window(resources, now, window);
        }
        if acked > 0 {
            let news = News { ack: segment.ack, echo, duplicate: false };
            self.take_news(resources, now, &news, &Blocks::NONE);
        }
        match staged {
            Some(block) => {
                self.receive.commit(&mut resources.pool, block, len);
                self.take_ordered(resources, now, len as u32, full);
            }
            None if len > 0 => _ = self.take_data(resources, now, segment.seq, segment.payload, full),
            None => {}
        }
        if self.has_unsent() {
            self.todo |= todo::OUTPUT;
        }
        Some(Ok(()))
    }
}

/// Urgent data is read in line, so URG alone is nothing unusual; it is rare enough for the other path all the same.
const UNUSUAL: Flags = Flags::FIN
    .union(Flags::SYN)
    .union(Flags::RST)
    .union(Flags::ACK)
    .union(Flags::URG)
    .union(Flags::ECE)
    .union(Flags::CWR);
