//! The common case in one straight line: an established connection, what comes is what is expected next, and nothing is
//! out of the ordinary (Van Jacobson's header prediction).

use mirage_clock::Instant;

use crate::connection::{Slot, todo};
use crate::recovery::{News, Phase};
use crate::resources::Resources;
use crate::sack::Blocks;
use crate::wire::{Flags, Segment};
use crate::{Profile, State};

impl<P: Profile> Slot<P> {
    /// Takes in data in order, an acknowledgement, or both; `false` when anything is unusual, and then nothing was done.
    #[inline]
    pub(super) fn input_fast(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        segment: &Segment<'_>,
        full: u16,
    ) -> bool {
        let acked = segment.ack.since(self.una);
        let len = segment.payload.len();
        let ordinary = self.state == State::Established
            && segment.flags.intersection(UNUSUAL) == Flags::ACK
            && segment.seq == self.rcv_nxt
            && acked <= self.in_flight()
            && len <= self.receive_window() as usize
            && (len > 0 || acked > 0)
            && !self.read_shut
            && self.fin_at.is_none()
            && self.receive.ooo_bytes() == 0
            && self.recovery.phase == Phase::Open
            && (!P::MARKS || self.marks.is_ordinary(segment.ecn));
        if !ordinary {
            return false;
        }
        let mut echo = None;
        if P::TIMESTAMPS && self.stamps.on {
            let Some((value, echoed)) = segment.lone_stamps() else { return false };
            if self.stamps.is_old(now, value) {
                return false;
            }
            self.stamps.remember(now, value, segment.seq, self.acked_to);
            echo = Some(echoed);
        } else if !segment.options.is_empty() {
            return false;
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
        if len > 0 {
            self.take_data(resources, now, segment.seq, segment.payload, full);
        }
        if self.has_unsent() {
            self.todo |= todo::OUTPUT;
        }
        true
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
