//! How fast the network delivers (draft-ietf-ccwg-bbr §4.1).

use mirage_clock::{Duration, Instant};
use mirage_congestion::Rate;
use zerocopy::FromZeros;

use super::Tally;
use crate::runs::Mark;

/// What has been delivered so far, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    /// Bytes delivered, modulo 2³².
    pub(crate) delivered: u32,
    /// Bytes thought lost, modulo 2³².
    pub(crate) lost: u32,
    /// The application had too little to send until this much is delivered; 0 if it had enough.
    app_limited: u32,
    /// What was measured last.
    pub(crate) newest: Measured,
}

/// The same while bytes are under way. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct Round {
    /// When what was delivered last grew.
    delivered_at: u64,
    /// When what was sent first of what is under way was.
    first_sent_at: u64,
    /// The round trip that runs ends when something is delivered that was sent after this much was.
    end: u32,
}

impl Round {
    pub(crate) const NEW: Self = Self { delivered_at: 0, first_sent_at: 0, end: 0 };
}

/// A delivery rate as it was measured, to be told to people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Bytes delivered over the span.
    delivered: u32,
    /// The span in units of 2¹⁰ ns, 0 for no measurement; and in the highest bit, whether the application was what limited it.
    span: u32,
}

impl Measured {
    const NONE: Self = Self { delivered: 0, span: 0 };

    fn new(delivered: u32, span: Duration, app_limited: bool) -> Self {
        let span = (span.as_nanos() >> 10).clamp(1, u64::from(APP_LIMITED - 1)) as u32;
        Self { delivered, span: span | if app_limited { APP_LIMITED } else { 0 } }
    }

    pub(crate) fn is_app_limited(&self) -> bool {
        self.span & APP_LIMITED != 0
    }

    /// Bytes a second; 0 before the first measurement.
    pub(crate) fn bytes_per_second(&self) -> u64 {
        // 2³² bytes times 10⁹ fit in 62 bits.
        match self.span & !APP_LIMITED {
            0 => 0,
            span => u64::from(self.delivered) * 1_000_000_000 / (u64::from(span) << 10),
        }
    }
}

const APP_LIMITED: u32 = 1 << 31;

impl Delivery {
    pub(crate) const NEW: Self = Self { delivered: 0, lost: 0, app_limited: 0, newest: Measured::NONE };

    /// What goes with something that is sent now; `in_flight` is under way, this included. `idle`: nothing was before.
    #[inline]
    pub(crate) fn on_sent(&self, round: &mut Round, now: Instant, in_flight: u32, idle: bool) -> Mark {
        if idle {
            let now = now.as_nanos();
            *round = Round { delivered_at: now, first_sent_at: now, end: self.delivered };
        }
        Mark {
            delivered: self.delivered,
            lost: self.lost,
            in_flight,
            delivered_at: Instant::from_nanos(round.delivered_at),
            first_sent_at: Instant::from_nanos(round.first_sent_at),
        }
    }

    pub(crate) fn is_app_limited(&self) -> bool {
        self.app_limited != 0
    }

    /// The application has nothing more to send although more might go; `in_flight` is under way.
    pub(crate) fn on_app_limited(&mut self, in_flight: u32) {
        self.app_limited = self.delivered.wrapping_add(in_flight).max(1);
    }

    /// What arrived with an acknowledgement: the rate it was delivered at, if that can be told, and whether a round trip has
    /// ended.
    pub(crate) fn on_ack(
        &mut self,
        round: &mut Round,
        now: Instant,
        tally: &Tally,
        min_rtt: Duration,
    ) -> (Option<Rate>, bool) {
        match &tally.newest {
            Some((sent_at, mark, app_limited)) => {
                self.on_run(round, now, tally.delivered, min_rtt, (*sent_at, mark, *app_limited))
            }
            None => {
                self.on_delivered(round, now, tally.delivered);
                (None, false)
            }
        }
    }

    #[inline]
    fn on_delivered(&mut self, round: &mut Round, now: Instant, bytes: u32) {
        self.delivered = self.delivered.wrapping_add(bytes);
        if bytes > 0 {
            round.delivered_at = now.as_nanos();
        }
        if self.app_limited != 0 && self.delivered.wrapping_sub(self.app_limited) as i32 > 0 {
            self.app_limited = 0;
        }
    }

    /// The same when `bytes` arrived, of which the newest left then, when things stood so, and whether the application was
    /// what limited them.
    #[inline(always)]
    pub(super) fn on_run(
        &mut self,
        round: &mut Round,
        now: Instant,
        bytes: u32,
        min_rtt: Duration,
        (sent_at, mark, app_limited): (Instant, &Mark, bool),
    ) -> (Option<Rate>, bool) {
        self.on_delivered(round, now, bytes);
        let ended = mark.delivered.wrapping_sub(round.end) as i32 >= 0;
        if ended {
            round.end = self.delivered;
        }
        round.first_sent_at = sent_at.as_nanos();
        // "Use the longer of the send_elapsed and ack_elapsed": neither a burst of acknowledgements nor one of segments
        // passes for a fast path.
        let sending = sent_at.since(mark.first_sent_at);
        let arriving = now.since(mark.delivered_at);
        let interval = sending.max(arriving);
        if interval < min_rtt || interval.is_zero() {
            return (None, ended);
        }
        let rate = Rate {
            delivered: self.delivered.wrapping_sub(mark.delivered),
            interval,
            prior_delivered: mark.delivered,
            in_flight_when_sent: mark.in_flight,
            lost: self.lost.wrapping_sub(mark.lost),
            app_limited,
        };
        self.newest = Measured::new(rate.delivered, interval, app_limited);
        (Some(rate), ended)
    }
}
