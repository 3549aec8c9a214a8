//! The usual turn of a connection, in one straight line: one small or full segment, or an acknowledgement, is all there is to
//! send, and nothing is out of the ordinary.

use mirage_clock::Instant;
use mirage_congestion::Congestion as _;
use mirage_protocols::{Ip, Packet, Protocol, SendError};

use super::plan::{Kind, Plan};
use crate::connection::Slot;
use crate::cork::Hold;
use crate::facts::Facts;
use crate::recovery::Phase;
use crate::resources::Resources;
use crate::send_queue::Cursor;
use crate::wire::{Checksum, Flags, HEADER_LEN, Header, Options, PARTIAL_CHECKSUM, Template};
use crate::{Profile, State};

impl<P: Profile> Slot<P> {
    /// Sends all that there is to send, if that is one usual segment; `None` when anything is unusual, and then nothing was
    /// done. What it does is what a plan, and its segment, would do.
    #[inline]
    pub(super) fn send_usual(
        &mut self,
        now: Instant,
        resources: &mut Resources<'_>,
        ip: &mut impl Ip,
    ) -> Option<Result<(), SendError>> {
        let (recovery, in_flight) = (&self.recovery, self.in_flight());
        // A FIN that is to be sent, or was.
        let fin = self.fin_queued();
        let usual = (self.state == State::Established || (fin && self.state.may_transmit()))
            && recovery.lost | recovery.sacked == 0
            && recovery.phase == Phase::Open
            && !self.facts.intersects(Facts::SENDS_UNUSUALLY)
            && self.repeats == 0
            && self.hold == Hold::Nothing
            && !self.receive.has_holes()
            && !self.has_twice()
            && !(P::MARKS && self.marks.is_on())
            && !(P::RECORDS && self.send.has_records())
            && !(P::PROBING && self.path.is_searched())
            && self.congestion.pacing_rate().is_none();
        if !usual {
            return None;
        }
        let (len, full) = (self.send.len().saturating_sub(in_flight), u32::from(self.mss));
        // As `plan_data`: there is room for it, and neither Nagle's algorithm nor the table of runs holds it back.
        let may_go = len <= full
            && len <= self.window.saturating_sub(in_flight)
            && len <= self.congestion.window().saturating_sub(in_flight)
            && (self.nodelay() || len == full || !self.has_small_out(&resources.pool));
        let mut cursor = Cursor::NEW;
        let (seq, mut flags, piece) = match len {
            0 if fin && in_flight == self.send.len() => match self.window > in_flight {
                true if resources.runs.can_push(&self.recovery.chain) => (self.nxt, Flags::ACK | Flags::FIN, &[][..]),
                _ => return None,
            },
            0 if self.ack_now() => (self.empty_seq(), Flags::ACK, &[][..]),
            0 => {
                // Nothing is to be sent.
                self.note_all_sent();
                self.keep_watch(now, resources);
                return Some(Ok(()));
            }
            _ if !may_go || fin || !resources.runs.can_push(&self.recovery.chain) => return None,
            _ => {
                cursor = resources.pool.under_way(self.send.head()).cursor;
                (self.nxt, Flags::ACK, self.send.piece(&resources.pool, in_flight, len, &mut cursor)?)
            }
        };
        flags.set(Flags::PSH, len > 0 && !self.unpushed());
        self.set_congestion_limited(false);
        let options = match P::TIMESTAMPS && self.stamps.is_on() {
            true => Options::Stamps(self.stamps.value(now), self.stamps.recent),
            false => Options::Bytes(&[]),
        };
        let header = Header {
            source_port: self.tuple.local_port,
            destination_port: self.tuple.remote_port,
            ack: self.rcv_nxt,
            window: self.offer_window(resources),
            ..Header::default()
        };
        let checksum = if self.partial_checksum() { Checksum::Partial } else { Checksum::Complete };
        let template = Template::new(self.tuple.pseudo_header(), &header, options, checksum);
        let bytes = HEADER_LEN + options.len() + piece.len();
        let mut packet = Packet::new(self.tuple.local, self.tuple.remote, Protocol::TCP, bytes);
        packet.dont_fragment = true;
        if self.partial_checksum() {
            packet.checksum = Some(PARTIAL_CHECKSUM);
        }
        let template = &template;
        match ip.send_straight(packet, move |writer| template.write_piece(writer, seq, flags, piece)) {
            Err(SendError::Full) => return Some(Err(SendError::Full)),
            Err(SendError::WouldFragment { mtu }) if self.shrink_path(mtu, &resources.config) => return None,
            // Other errors are as good as loss.
            _ => {}
        }
        resources.stats.segments_out += 1;
        self.on_acknowledged();
        if len > 0 {
            resources.pool.under_way_mut(self.send.head()).cursor = cursor;
        }
        let lone_fin = P::SELECTIVE && len == 0 && flags.contains(Flags::FIN) && in_flight == 0 && !self.held();
        if lone_fin && let Some(run) = resources.runs.peek() {
            self.on_lone_fin_sent(now, run, resources);
            self.start_timer(now, resources.config.max_rto, false);
        } else if len > 0 || flags.contains(Flags::FIN) {
            let plan = Plan { seq, offset: in_flight, len, full, flags, kind: Kind::Next };
            self.on_next_sent(&plan, now, resources);
        }
        self.note_all_sent();
        self.keep_watch(now, resources);
        Some(Ok(()))
    }
}
