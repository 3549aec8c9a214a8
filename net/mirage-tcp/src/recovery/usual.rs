//! The usual acknowledgement, in one straight line: nothing is lost, nothing is told selectively, and what it acknowledges
//! left at one time.

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use mirage_congestion::Ack;

use super::{Phase, Recovery};
use crate::Profile;
use crate::connection::Slot;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::runs::{RunSlot, fate};
use crate::under_way::UnderWay;

impl Recovery {
    /// Whether nothing is known of what is under way but when it left.
    #[inline]
    fn is_quiet(&self, under_way: &UnderWay) -> bool {
        self.sacked | self.lost == 0 && self.duplicates == 0 && self.phase == Phase::Open && !under_way.tail.is_probed()
    }
}

impl<P: Profile> Slot<P> {
    /// Takes in an acknowledgement up to `ack`, which is behind SND.UNA and not behind SND.NXT, and tells nothing else;
    /// `false` when anything is unusual, and then nothing was done. What it does is what
    /// [`take_news`](Self::take_news) would do.
    #[inline]
    pub(super) fn take_usual(&mut self, resources: &mut Resources<'_>, now: Instant, ack: SequenceNumber) -> bool {
        let recovery = &mut self.recovery;
        let Some(run) = resources.runs.head_mut(&recovery.chain) else { return false };
        let under_way = resources.pool.under_way_mut(self.send.head());
        let acked = ack.since(self.una);
        if !recovery.is_quiet(under_way) || run.is(UNUSUAL) || run.start != self.una || acked > run.len() {
            return false;
        }
        let prior = self.nxt.since(self.una);
        let RunSlot { sent_at, mark, fate: fared, .. } = *run;
        let rtt = now.since(sent_at);
        under_way.rack.on_first_delivered(&mut recovery.reordering, rtt, sent_at, run.start, ack);
        if ack == run.end {
            resources.runs.pop(&mut recovery.chain);
        } else {
            run.start = ack;
        }
        let limited = fared & fate::APP_LIMITED != 0;
        let min_rtt = recovery.reordering.min_rtt();
        let newest = (sent_at, &mark, limited);
        let (rate, round) = recovery.delivery.on_run(&mut under_way.round, now, acked, min_rtt, newest);
        recovery.reordering.on_rtt(now, rtt);
        // With the last byte it goes, too.
        let (most, recovering) = (under_way.most, under_way.is_reduced(ack));
        self.forget_acknowledged(resources, now, acked);
        self.round_trip.sample_here(rtt, resources.config.min_rto);
        let flight = self.flight_of(self.pipe(), most);
        let rtt = Some(rtt);
        let brought = Ack { acked, delivered: acked, flight, prior, rtt, round, recovering, rate, ..Ack::default() };
        self.tell_controller_elsewhere(now, &brought);
        self.start_resend_timer(now, resources);
        true
    }
}

impl<P: Profile> Slot<P> {
    /// Takes in the acknowledgement of everything we will ever have sent, our FIN included, while nothing seems lost, for a
    /// connection that nobody holds: what could be measured by it would serve no one.
    #[inline(never)]
    pub(crate) fn take_last(&mut self, resources: &mut Resources<'_>, now: Instant, acked: u32) {
        resources.runs.clear(&mut self.recovery.chain);
        (self.recovery.lost, self.recovery.sacked) = (0, 0);
        self.forget_acknowledged(resources, now, acked);
        (self.resend_at, self.watch) = (Instant::MAX, Watch::Resend);
    }
}

/// What a run must not be, beside acknowledged only in part or together with others.
pub(super) const UNUSUAL: u8 = fate::SACKED | fate::LOST | fate::RESENT;
