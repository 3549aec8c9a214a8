//! The acknowledgement that ends an exchange, in one straight line: all that was written is acknowledged, it left as one run and
//! nothing happened to it.

use mirage_clock::Instant;
use mirage_congestion::Ack;

use super::usual::UNUSUAL;
use crate::Profile;
use crate::coarse::Later;
use crate::connection::Slot;
use crate::path::Stage;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::runs::{RunSlot, fate};

impl<P: Profile> Slot<P> {
    /// Takes in the acknowledgement of the `acked` bytes of the send queue, all of which are under way, while no loss is
    /// being repaired; `false` when anything is unusual, and then nothing was done. What it does is what
    /// [`take_news`](Self::take_news) would do, but what it would note where it is forgotten with the last byte.
    #[inline(always)]
    pub(crate) fn take_whole(&mut self, resources: &mut Resources<'_>, now: Instant, acked: u32) -> bool {
        let recovery = &mut self.recovery;
        let Some(run) = resources.runs.lone(&recovery.chain).filter(|_| self.nxt.since(self.una) == acked) else {
            return false;
        };
        let Some(under_way) = self.send.lone(&resources.pool) else { return false };
        let RunSlot { sent_at, fate: fared, .. } = *run;
        if fared & UNUSUAL != 0 || recovery.duplicates != 0 || under_way.tail.is_probed() {
            return false;
        }
        debug_assert!(run.start == self.una && run.end == self.nxt, "the runs lie between SND.UNA and SND.NXT");
        let rtt = now.since(sent_at);
        let min_rtt = recovery.reordering.min_rtt();
        let newest = (sent_at, &run.mark, fared & fate::APP_LIMITED != 0);
        let (rate, round) = recovery.delivery.on_run(&mut { under_way.round }, now, acked, min_rtt, newest);
        recovery.reordering.on_rtt(now, rtt);
        let una = self.nxt;
        let (most, recovering) = (under_way.most, under_way.is_reduced(una));
        resources.runs.end(&mut recovery.chain);
        self.send.end(&mut resources.pool);
        self.una = una;
        self.release();
        self.stuck_since = now;
        self.round_trip.sample_with(rtt, resources.patience);
        (self.resend_at, self.watch) = (Instant::MAX, Watch::Resend);
        if P::PROBING && self.path.stage() == Stage::Probing {
            self.on_probe_progress();
        }
        self.linger_at = Later::NEVER;
        resources.wakers.wake(&mut self.writers);
        resources.relieve();
        let (flight, rtt) = (self.flight_of(0, most), Some(rtt));
        let brought =
            Ack { acked, delivered: acked, flight, prior: acked, rtt, round, recovering, rate, ..Ack::default() };
        self.tell_controller(now, brought);
        true
    }

    /// The same from where it is not called for each segment.
    #[inline(never)]
    pub(crate) fn take_whole_elsewhere(&mut self, resources: &mut Resources<'_>, now: Instant, acked: u32) -> bool {
        self.take_whole(resources, now, acked)
    }
}
