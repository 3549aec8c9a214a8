//! The first segment of an exchange, in one straight line: nothing is under way, all that was written is one small segment, and
//! nothing is out of the ordinary. A request, or an answer.

use core::convert::identity;

use mirage_clock::Instant;
use mirage_congestion::Congestion as _;
use mirage_net::FrameWriter;
use mirage_protocols::{Ip, Packet, Protocol};

use crate::coarse::Coarse;
use crate::connection::Slot;
use crate::cork::Hold;
use crate::facts::Facts;
use crate::recovery::Phase;
use crate::resources::Resources;
use crate::runs::{RunSlot, fate};
use crate::wire::{Checksum, Flags, HEADER_LEN, Header, Options, PARTIAL_CHECKSUM, Template};
use crate::{Profile, State};

impl<P: Profile> Slot<P> {
    /// Sends all that there is to send, if that is such a segment and its packet is like the one before; `false` when
    /// anything is unusual, and then nothing was done. What it does is what [`send_usual`](Self::send_usual) would do.
    #[inline(always)]
    pub(super) fn send_first(&mut self, now: Instant, resources: &mut Resources<'_>, ip: &mut impl Ip) -> bool {
        let recovery = &self.recovery;
        let usual = self.una == self.nxt
            && self.resend_at == Instant::MAX
            && self.state == State::Established
            && !self.facts.intersects(Facts::BEGINS_UNUSUALLY)
            && recovery.lost | recovery.sacked == 0
            && recovery.phase == Phase::Open
            && self.repeats == 0
            && self.hold == Hold::Nothing
            && !self.receive.has_holes()
            && !self.has_twice()
            && !(P::MARKS && self.marks.is_on())
            && !(P::RECORDS && self.send.has_records())
            && !(P::PROBING && self.path.is_searched())
            && !(P::FAST_OPEN && self.syn_len > 0)
            && self.congestion.pacing_rate().is_none();
        let len = self.send.len();
        if !usual || len >= u32::from(self.mss) || len > self.window || len > self.congestion.window() {
            return false;
        }
        let Some(piece) = self.send.whole(&resources.pool) else { return false };
        if !resources.runs.can_begin() {
            return false;
        }
        let mut flags = Flags::ACK;
        flags.set(Flags::PSH, !self.unpushed());
        let options = match P::TIMESTAMPS && self.stamps.is_on() {
            true => Options::Stamps(self.stamps.value(now), self.stamps.recent),
            false => Options::Bytes(&[]),
        };
        if self.may_grow() {
            self.grow_window(resources);
        }
        let header = Header {
            source_port: self.tuple.local_port,
            destination_port: self.tuple.remote_port,
            ack: self.rcv_nxt,
            window: self.shown_window(),
            ..Header::default()
        };
        let partial = self.partial_checksum();
        let checksum = if partial { Checksum::Partial } else { Checksum::Complete };
        let template = Template::new(self.tuple.pseudo_header(), &header, options, checksum);
        let bytes = HEADER_LEN + options.len() + piece.len();
        let mut packet = Packet::new(self.tuple.local, self.tuple.remote, Protocol::TCP, bytes);
        packet.dont_fragment = true;
        packet.checksum = partial.then_some(PARTIAL_CHECKSUM);
        let seq = self.nxt;
        let mut fill = identity(
            #[inline(always)]
            |writer: &mut FrameWriter<'_>| template.write_piece(writer, seq, flags, piece),
        );
        // An error is as good as loss.
        if ip.send_again(&packet, &mut fill).is_none() {
            return false;
        }
        resources.stats.segments_out += 1;
        self.on_first_sent(now, len, resources);
        true
    }

    /// What changes when it has left: what [`on_next_sent`](Self::on_next_sent) and what goes with it would do.
    #[inline(always)]
    fn on_first_sent(&mut self, now: Instant, len: u32, resources: &mut Resources<'_>) {
        if self.quick_acks > 0 {
            self.spend_quick_acks(now, len, resources);
        }
        self.acked_to = self.rcv_nxt;
        self.ack_at = Instant::MAX;
        self.facts -= Facts::ACK_NOW | Facts::CONGESTION_LIMITED | Facts::PACED;
        self.stuck_since = now;
        self.sent_at = Coarse::of(now);
        let (start, end) = (self.una, self.una + len);
        self.nxt = end;
        let under_way = resources.pool.under_way_mut(self.send.head());
        let told = self.flight_of(0, under_way.most);
        self.congestion.on_sent(now, len, &told);
        let delivery = &mut self.recovery.delivery;
        under_way.rack.begin(start);
        (under_way.most, under_way.most_until, under_way.small_end) = (len, end.0, end.0);
        let mark = delivery.on_sent(&mut under_way.round, now, len, true);
        let limited = delivery.is_app_limited();
        if !limited {
            delivery.on_app_limited(len);
        }
        let fate = if limited { fate::APP_LIMITED } else { 0 };
        let run = RunSlot { start, end, sent_at: now, fate, mark, ..RunSlot::default() };
        resources.runs.begin(&mut self.recovery.chain, run);
        self.start_timer_here(now, resources.config.max_rto, false);
    }

    /// While acknowledgements do not wait for data to ride on: whether they shall from now on.
    #[inline(never)]
    fn spend_quick_acks(&mut self, now: Instant, len: u32, resources: &Resources<'_>) {
        if self.acked_to != self.rcv_nxt {
            self.quick_acks -= 1;
        }
        self.note_answer(now, len, resources);
    }
}
