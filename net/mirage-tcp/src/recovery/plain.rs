//! A sender without records of what is under way, for profiles without selective acknowledgments: the retransmission timer
//! and three duplicate acknowledgements tell of losses (RFC 6298, RFC 5681), and Reno repairs them (RFC 6582).
//!
//! What is to be sent again is one range of `lost` bytes. After a timeout it ends at `recover`, otherwise it begins at
//! SND.UNA. One segment at a time is timed.

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use mirage_congestion::{Ack, Congestion, Signal};

use super::{News, Phase, Recovery};
use crate::Profile;
use crate::connection::{Slot, todo};
use crate::resources::Resources;
use crate::runs::Chain;

impl Recovery {
    /// Where what is to be sent again begins; `una` is SND.UNA.
    pub(crate) fn lost_from(&self, una: SequenceNumber) -> SequenceNumber {
        match self.phase {
            Phase::Loss => self.recover - self.lost,
            _ => una,
        }
    }

    /// `bytes` are to be sent again.
    fn lose(&mut self, bytes: u32) {
        self.lost = bytes;
        self.delivery.lost = self.delivery.lost.wrapping_add(bytes);
    }
}

/// Without records a chain is empty, and has room for what is timed: `tail` is the number behind it, `count` is when it was
/// sent, in microseconds, 0 for no segment.
impl Chain {
    /// What ends at `end` is sent for the first time: it is timed, if nothing is.
    pub(crate) fn time(&mut self, now: Instant, end: SequenceNumber) {
        if self.count == 0 {
            (self.tail, self.count) = (end.0, (now.as_micros() as u32).max(1));
        }
    }

    /// How long the timed segment took, if `ack` acknowledges it.
    fn timed(&mut self, now: Instant, ack: SequenceNumber) -> Option<Duration> {
        if self.count == 0 || ack.before(SequenceNumber(self.tail)) {
            return None;
        }
        let micros = (now.as_micros() as u32).wrapping_sub(core::mem::take(&mut self.count));
        Some(Duration::from_micros(micros.into()))
    }
}

impl<P: Profile> Slot<P> {
    /// Takes in an acknowledgement that is at or behind SND.UNA and not behind SND.NXT.
    #[inline(never)]
    pub(super) fn take_plain(&mut self, resources: &mut Resources<'_>, now: Instant, news: &News) {
        let mss = u32::from(self.mss);
        let (prior, most, acked) = (self.pipe(), self.in_flight(), news.ack.since(self.una));
        let known = self.recovery.sacked;
        let mut rtt = None;
        if acked > 0 {
            rtt = self.recovery.chain.timed(now, news.ack);
            if P::TIMESTAMPS && rtt.is_none() {
                rtt = news.echo.and_then(|echo| self.stamps.age(now, echo));
            }
            if let Some(rtt) = rtt {
                self.round_trip.sample_seldom(rtt, resources.config.min_rto);
            }
            self.forget_acknowledged(resources, now, acked);
            let flight = self.in_flight();
            self.recovery.on_progress(acked, mss, flight);
            match self.recovery.phase {
                Phase::Open => {}
                _ if self.una.at_or_after(self.recovery.recover) => {
                    self.recovery.lost = 0;
                    self.end_recovery(resources, now);
                }
                // RFC 6582 §3.2, partial acknowledgement: the next hole begins here.
                Phase::Recovery => self.recovery.lose(mss.min(flight)),
                Phase::Loss => self.recovery.lost = self.recovery.lost.min(self.recovery.recover.since(self.una)),
            }
        } else if news.duplicate {
            let flight = self.in_flight();
            let enough = self.recovery.on_duplicate(mss, news.ack, flight);
            // RFC 6582 §3.2 (2): not for duplicates that our own retransmissions may have caused.
            if enough && (self.recovery.recover.before(news.ack) || self.recovery.delivery.lost == 0) {
                self.recovery.lose(mss.min(flight));
                self.recovery.phase = Phase::Recovery;
                self.recovery.recover = self.nxt;
                let told = self.flight_of(flight, flight);
                self.congestion.on_congestion(now, Signal::Loss, &told);
                if P::MARKS {
                    self.marks.on_reduced();
                }
            }
        }
        // What duplicates stood for arrived when they came, not when it is acknowledged.
        let delivered = (acked + self.recovery.sacked).saturating_sub(known);
        if delivered > 0 {
            let flight = self.flight_of(self.pipe(), most);
            let recovering = self.recovery.phase == Phase::Recovery;
            self.tell_controller(now, Ack { acked, delivered, prior, rtt, flight, recovering, ..Ack::default() });
        }
        if acked > 0 {
            self.start_resend_timer(now, resources);
        }
        if self.recovery.phase != Phase::Open {
            self.todo |= todo::OUTPUT;
        }
    }

    /// The retransmission timer went off, or what is under way is too long for the path: it all goes again, from SND.UNA on.
    pub(crate) fn lose_plainly(&mut self) {
        self.recovery.phase = Phase::Loss;
        self.recovery.recover = self.nxt;
        self.recovery.duplicates = 0;
        self.recovery.sacked = 0;
        self.recovery.chain.count = 0;
        self.recovery.lose(self.in_flight());
    }

    /// `bytes` of what is to be sent again were.
    pub(crate) fn on_sent_plainly(&mut self, bytes: u32) {
        // RFC 6298 §3: "RTT samples MUST NOT be made using segments that were retransmitted".
        self.recovery.chain.count = 0;
        self.recovery.lost = match self.recovery.phase {
            Phase::Loss => self.recovery.lost.saturating_sub(bytes),
            _ => 0,
        };
    }
}
