//! A segment without data while nothing is under way, in one straight line: our FIN, or an acknowledgement, and nothing is out of
//! the ordinary.

use core::convert::identity;
use core::net::IpAddr;

use mirage_clock::Instant;
use mirage_congestion::Congestion as _;
use mirage_net::FrameWriter;
use mirage_protocols::{Ip, Packet, Protocol};

use crate::coarse::Coarse;
use crate::connection::Slot;
use crate::facts::Facts;
use crate::path::Stage;
use crate::resources::Resources;
use crate::runs::RunSlot;
use crate::wire::{Flags, STAMPED_LEN, Stamped};
use crate::{Profile, State};

impl<P: Profile> Slot<P> {
    /// Sends our FIN, or else an acknowledgement that is due, when there is nothing else to send, nothing is under way and the
    /// packet is like the one before; a FIN only of a connection that nobody holds. `false` when anything is unusual, and then
    /// nothing was done. What it does is what [`send_usual`](Self::send_usual) would do.
    #[inline(always)]
    pub(super) fn send_bare(&mut self, now: Instant, resources: &mut Resources<'_>, ip: &mut impl Ip) -> bool {
        let facts = self.facts;
        let fin = facts.contains(Facts::FIN_QUEUED);
        let due = match fin {
            true => self.state.may_transmit() && self.window > 0 && !facts.contains(Facts::HELD),
            false => self.state == State::Established && facts.contains(Facts::ACK_NOW),
        };
        let usual = due
            && self.mss > 0
            && self.resend_at == Instant::MAX
            && !facts.intersects(UNUSUAL)
            && self.is_calm()
            && self.repeats == 0
            && !self.receive.has_holes()
            && !self.has_twice()
            && self.congestion.pacing_rate().is_none();
        let Some(run) = resources.runs.peek() else { return false };
        let (IpAddr::V4(local), IpAddr::V4(remote)) = (self.tuple.local, self.tuple.remote) else { return false };
        if !usual {
            return false;
        }
        self.offer_window(resources);
        let header = Stamped {
            pseudo: u64::from(local.to_bits()) + u64::from(remote.to_bits()) + u64::from(Protocol::TCP.0),
            source_port: self.tuple.local_port,
            destination_port: self.tuple.remote_port,
            seq: self.nxt,
            ack: self.rcv_nxt,
            flags: if fin { Flags::ACK | Flags::FIN } else { Flags::ACK },
            window: self.shown_window(),
            value: self.stamps.value(now),
            echo: self.stamps.recent,
        };
        let mut packet = Packet::new(IpAddr::V4(local), IpAddr::V4(remote), Protocol::TCP, STAMPED_LEN);
        packet.dont_fragment = true;
        let mut fill = identity(
            #[inline(always)]
            |writer: &mut FrameWriter<'_>| header.write_bare(writer),
        );
        // An error is as good as loss.
        if ip.send_again(&packet, &mut fill).is_none() {
            return false;
        }
        resources.stats.segments_out += 1;
        self.on_acknowledged();
        self.facts -= Facts::CONGESTION_LIMITED | Facts::PACED;
        if fin {
            // As `on_lone_fin_sent`.
            let (start, end) = (self.nxt, self.nxt + 1);
            (self.stuck_since, self.nxt) = (now, end);
            let content = RunSlot { start, end, sent_at: now, ..RunSlot::default() };
            resources.runs.begin(&mut self.recovery.chain, run, content);
            if P::PROBING && self.path.stage() == Stage::Untried {
                self.path.on_tried(end);
            }
            self.sent_at = Coarse::of(now);
            self.start_first_timer(now, resources.config.max_rto);
        }
        self.note_all_sent();
        true
    }
}

/// What is not so of a connection for which this is all that happens.
const UNUSUAL: Facts = Facts::SENDS_UNUSUALLY.union(Facts::FLUSHING).union(Facts::PARTIAL_CHECKSUM);
