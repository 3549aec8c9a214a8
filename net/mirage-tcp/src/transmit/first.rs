//! The first segment of an exchange, in one straight line: nothing is under way, all that was written is one small segment, and
//! nothing is out of the ordinary. A request, or an answer.

use core::convert::identity;
use core::net::IpAddr;

use mirage_clock::Instant;
use mirage_congestion::Congestion as _;
use mirage_net::FrameWriter;
use mirage_protocols::{Ip, Packet, Protocol};

use crate::coarse::Coarse;
use crate::connection::Slot;
use crate::facts::Facts;
use crate::resources::Resources;
use crate::runs::{RunSlot, fate};
use crate::wire::{Flags, STAMPED_LEN, Stamped, pseudo_v4};
use crate::{Config, Profile, State};

impl<P: Profile> Slot<P> {
    /// Sends all that there is to send while nothing is under way, if that is such a segment and its packet is like the one
    /// before; `false` when anything is unusual, and then nothing was done. What it does is what
    /// [`send_usual`](Self::send_usual) would do.
    #[inline(always)]
    pub(super) fn send_first(&mut self, now: Instant, resources: &mut Resources<'_>, ip: &mut impl Ip) -> bool {
        if !self.begins_usually() {
            if self.calm() {
                return false;
            }
            self.calm_down();
            if !self.begins_usually() {
                return false;
            }
        }
        let len = self.send.len();
        let usual = self.state == State::Established
            && self.resend_at == Instant::MAX
            && self.repeats == 0
            && !self.receive.has_holes()
            && !self.has_twice()
            && self.congestion.pacing_rate().is_none();
        if !usual || len >= u32::from(self.mss) || len > self.window || len > self.congestion.window() {
            return false;
        }
        let (IpAddr::V4(local), IpAddr::V4(remote)) = (self.tuple.local, self.tuple.remote) else { return false };
        let (window, step) = (self.receive_window(), u32::from(self.receive_mss));
        if window < step || self.tuning.limit >= self.receive.readable() + window + step {
            // There may be room for more.
            self.offer_window(resources);
        }
        let Resources { pool, runs, config, stats, .. } = resources;
        let (Some(run), Some(block)) = (runs.peek(), self.send.lone_mut(pool)) else { return false };
        debug_assert!(self.recovery.lost | self.recovery.sacked == 0, "nothing is under way");
        let mut packet = Packet::new(IpAddr::V4(local), IpAddr::V4(remote), Protocol::TCP, STAMPED_LEN + block.len());
        packet.dont_fragment = true;
        // What goes into the header is looked at when there is a place for it.
        let (slot, bytes) = (&*self, &*block);
        let header = identity(
            #[inline(always)]
            || {
                let mut flags = Flags::ACK;
                flags.set(Flags::PSH, !slot.unpushed());
                slot.header(now, pseudo_v4(local, remote), flags)
            },
        );
        let mut fill = identity(
            #[inline(always)]
            |writer: &mut FrameWriter<'_>| Stamped::write(&header, writer, bytes.data()),
        );
        // An error is as good as loss.
        if ip.send_again(&packet, &mut fill).is_none() {
            return false;
        }
        stats.segments_out += 1;
        // From here on what `on_next_sent`, and what goes with it, would do.
        if self.quick_acks > 0 {
            self.spend_quick_acks(now, len, config);
        }
        self.acked_to = self.rcv_nxt;
        self.ack_at = Instant::MAX;
        self.facts -= Facts::ACK_NOW | Facts::CONGESTION_LIMITED | Facts::PACED;
        self.stuck_since = now;
        self.sent_at = Coarse::of(now);
        let (start, end) = (self.una, self.una + len);
        self.nxt = end;
        let under_way = block.under_way_mut();
        let told = self.flight_of(0, under_way.most);
        self.congestion.on_sent(now, len, &told);
        under_way.rack.begin(start);
        (under_way.most, under_way.most_until, under_way.small_end) = (len, end.0, end.0);
        let delivery = &mut self.recovery.delivery;
        let mark = delivery.on_sent(&mut under_way.round, now, len, true);
        let limited = delivery.is_app_limited();
        if !limited {
            delivery.on_app_limited(len);
        }
        let fate = if limited { fate::APP_LIMITED } else { 0 };
        let content = RunSlot { start, end, sent_at: now, fate, mark, ..RunSlot::default() };
        runs.begin(&mut self.recovery.chain, run, content);
        self.start_first_timer(now, config.max_rto);
        true
    }

    #[inline(always)]
    fn begins_usually(&self) -> bool {
        self.facts & Facts::BEGINS_UNUSUALLY.union(Facts::CALM) == Facts::CALM
    }

    /// While acknowledgements do not wait for data to ride on: whether they shall from now on.
    #[inline(never)]
    fn spend_quick_acks(&mut self, now: Instant, len: u32, config: &Config) {
        if self.acked_to != self.rcv_nxt {
            self.quick_acks -= 1;
        }
        self.note_answer(now, len, config);
    }
}
