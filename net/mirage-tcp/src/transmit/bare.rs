//! A segment without data while nothing is under way, in one straight line: our FIN, or an acknowledgement, and nothing is out of
//! the ordinary.

use core::net::IpAddr;

use mirage_clock::Instant;
use mirage_congestion::Congestion as _;
use mirage_protocols::Ip;

use crate::connection::Slot;
use crate::facts::Facts;
use crate::resources::Resources;
use crate::transmit::reply::send_header_again;
use crate::wire::{Checksum, Flags, Stamped, pseudo_v4};
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
        let header = self.header(now, pseudo_v4(local, remote), if fin { Flags::ACK | Flags::FIN } else { Flags::ACK });
        // An error is as good as loss.
        if send_header_again(ip, &self.tuple, &header.bare(), Checksum::Complete).is_none() {
            return false;
        }
        resources.stats.segments_out += 1;
        self.on_acknowledged();
        self.facts -= Facts::CONGESTION_LIMITED | Facts::PACED;
        if fin {
            self.on_lone_fin_sent(now, run, resources);
            self.start_first_timer(now, resources.config.max_rto);
        }
        self.note_all_sent();
        true
    }

    /// The header of a segment that is sent while nothing is under way, `pseudo` being the sum of its pseudo-header.
    #[inline(always)]
    pub(super) fn header(&self, now: Instant, pseudo: u64, flags: Flags) -> Stamped {
        Stamped {
            pseudo,
            source_port: self.tuple.local_port,
            destination_port: self.tuple.remote_port,
            seq: self.nxt,
            ack: self.rcv_nxt,
            flags,
            window: self.shown_window(),
            value: self.stamps.value(now),
            echo: self.stamps.recent,
        }
    }
}

/// What is not so of a connection for which this is all that happens.
const UNUSUAL: Facts = Facts::SENDS_UNUSUALLY.union(Facts::FLUSHING).union(Facts::PARTIAL_CHECKSUM);
