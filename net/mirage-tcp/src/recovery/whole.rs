//! The acknowledgement that ends an exchange, in one straight line: all that was written is acknowledged, it left as one run and
//! nothing happened to it.

use mirage_clock::Instant;
use mirage_congestion::Ack;

use super::usual::UNUSUAL;
use crate::Profile;
use crate::coarse::Later;
use crate::connection::Slot;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::runs::{Chain, RunSlot, fate};

impl<P: Profile> Slot<P> {
    /// Takes in the acknowledgement of the `acked` bytes of the send queue, which are all that is under way, of a connection that
    /// is [calm](Self::is_calm); `false` when anything is unusual all the same, and then nothing was done. What it does is what
    /// [`take_news`](Self::take_news) would do, but what it would note where it is forgotten with the last byte.
    #[inline(never)]
    pub(crate) fn take_whole(&mut self, resources: &mut Resources<'_>, now: Instant, acked: u32) -> bool {
        debug_assert!(self.calm() && self.in_flight() == acked && self.send.len() == acked, "as the caller has found");
        let recovery = &mut self.recovery;
        let Some((run, free)) = resources.runs.lone_mut(&recovery.chain) else { return false };
        debug_assert!(self.linger_at == Later::NEVER, "whoever lingers has closed");
        debug_assert!(run.start == self.una && run.end == self.nxt, "the runs lie between SND.UNA and SND.NXT");
        let RunSlot { sent_at, fate: fared, .. } = *run;
        if fared & UNUSUAL != 0 || recovery.duplicates != 0 {
            return false;
        }
        let una = self.nxt;
        let before = self.send.end_if(
            &mut resources.pool,
            #[inline(always)]
            |under_way| {
                let before = (under_way.round, under_way.most, under_way.is_reduced(una));
                (!under_way.tail.is_probed()).then_some(before)
            },
        );
        let Some((mut round, most, recovering)) = before else { return false };
        run.next = core::mem::replace(free, recovery.chain.head);
        let rtt = now.since(sent_at);
        let min_rtt = recovery.reordering.min_rtt();
        let newest = (sent_at, &run.mark, fared & fate::APP_LIMITED != 0);
        let (rate, round) = recovery.delivery.on_run(&mut round, now, acked, min_rtt, newest);
        recovery.chain = Chain::EMPTY;
        recovery.reordering.on_rtt(now, rtt);
        self.una = una;
        self.round_trip.sample_with(rtt, resources.patience);
        (self.resend_at, self.watch) = (Instant::MAX, Watch::Resend);
        resources.wakers.wake(&mut self.writers);
        resources.relieve();
        let (flight, rtt) = (self.flight_of(0, most), Some(rtt));
        let brought =
            Ack { acked, delivered: acked, flight, prior: acked, rtt, round, recovering, rate, ..Ack::default() };
        self.tell_controller(now, brought);
        true
    }
}
