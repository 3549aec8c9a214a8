//! The controller: what it does when something is acknowledged, lost or marked.

use core::num::NonZero;

use mirage_clock::{Duration, Instant};
use mirage_congestion::{Ack, Congestion, Flight, HyStart, Memory, Signal};

use crate::curve::{rise, steps_to_rise};
use crate::tick::{Tick, steps};

/// CUBIC: a window that after a loss quickly grows to near where it was, stays there, and then looks for more.
///
/// 44 bytes. An acknowledgement costs a few additions; once each round trip there is one division.
#[derive(Clone, Copy, Debug)]
pub struct Cubic {
    cwnd: u32,
    ssthresh: u32,
    /// `cwnd_prior` of RFC 9438: the window when `ssthresh` was last set.
    prior: u32,
    mss: u16,
    /// Segments of the initial window; 0 once something was acknowledged.
    initial: u16,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The first slow start, before anything was lost.
    First(HyStart),
    /// Congestion avoidance, and slow start after a timeout or when idle.
    Later(Epoch),
}

/// A stage of congestion avoidance.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    /// `W_max`; 0 when unknown: the window where congestion avoidance begins takes its place.
    w_max: u32,
    /// When the curve reaches `w_max`: `t_epoch` + K of RFC 9438.
    plateau: Tick,
    /// The window that Reno would have by now.
    w_est: u32,
    /// The last time at which the curve was known to run, for leaving out what the application was silent.
    seen: Tick,
    /// How many acknowledged bytes open the window by a segment; the largest number when it stays.
    per_segment: NonZero<u32>,
    /// Acknowledged since it last opened.
    credit: u32,
    /// Whether `plateau` and `w_est` are set.
    begun: bool,
}

impl Cubic {
    fn mss(&self) -> u32 {
        u32::from(self.mss)
    }

    /// Opens the window in congestion avoidance.
    #[inline(never)]
    fn avoid(&mut self, now: Tick, round: bool, srtt: Duration, delivered: u32) {
        let mss = self.mss();
        let Stage::Later(epoch) = &mut self.stage else { return };
        if !epoch.begun || round {
            self.cwnd = epoch.plan(now, now.plus(steps(srtt)), self.cwnd, self.prior, mss);
        }
        if epoch.per_segment == NonZero::<u32>::MAX {
            return;
        }
        epoch.credit = epoch.credit.saturating_add(delivered);
        if epoch.credit >= epoch.per_segment.get() {
            let segments = epoch.credit / epoch.per_segment;
            epoch.credit %= epoch.per_segment;
            self.cwnd = self.cwnd.saturating_add(segments.saturating_mul(mss));
        }
    }

    /// Sets the threshold below the window; what follows is a new epoch, towards `w_max`.
    fn reduce(&mut self, w_max: u32) {
        self.stage = Stage::Later(Epoch::towards(w_max));
        self.prior = self.cwnd;
        self.ssthresh = beta(self.cwnd).max(2 * self.mss());
    }

    /// `W_max` for a congestion event.
    fn saturation(&self) -> u32 {
        // RFC 9438 §4.7: "if the current cwnd is less than W_max, this indicates that the saturation point experienced by this
        // flow is getting reduced": leave room for a new flow.
        match self.stage {
            Stage::Later(epoch) if self.cwnd < epoch.w_max => (u64::from(self.cwnd) * 17 / 20) as u32,
            _ => self.cwnd,
        }
    }

    fn initial_window(&self) -> u32 {
        // RFC 6928 §2: "min (10*MSS, max (2*MSS, 14600))".
        let (mss, segments) = (self.mss(), u32::from(self.initial));
        let most = if segments <= 10 { (2 * mss).max(14_600) } else { u32::MAX };
        (segments * mss).min(most).max(mss)
    }
}

impl Epoch {
    /// A stage that begins with the next acknowledgement after recovery.
    fn towards(w_max: u32) -> Self {
        let never = Tick(0);
        Self { w_max, plateau: never, w_est: 0, seen: never, per_segment: NonZero::<u32>::MAX, credit: 0, begun: false }
    }

    /// Congestion avoidance begins, with the window `cwnd`.
    fn begin(&mut self, now: Tick, cwnd: u32, mss: u32) {
        // RFC 9438 §4.8, §4.10: without a W_max, K is 0 and W_max the window at the beginning.
        self.w_max = self.w_max.max(cwnd);
        self.plateau = now.plus(steps_to_rise(self.w_max - cwnd, mss));
        self.w_est = cwnd;
        self.seen = now;
        self.credit = 0;
        self.begun = true;
    }

    /// A round trip begins, the first or another, and ends at `then`: plans its growth and gives the window at its beginning.
    #[inline(never)]
    fn plan(&mut self, now: Tick, then: Tick, mut cwnd: u32, prior: u32, mss: u32) -> u32 {
        if self.begun {
            // RFC 9438 §4.3: α is 3 · (1 − β) / (1 + β) = 9/17 of a segment for each window acknowledged, which a round trip
            // is; and 1 once Reno would be where the window last had to be reduced.
            self.w_est = self.w_est.saturating_add(if self.w_est < prior { mss * 9 / 17 } else { mss });
            cwnd = cwnd.max(self.w_est);
        } else {
            self.begin(now, cwnd, mss);
        }
        // §4.2: "target" lies between the window and one and a half of it.
        let target = self.window(then, mss).min(cwnd.saturating_add(cwnd / 2));
        // §4.4: the window grows by (target − cwnd) / cwnd for each segment: by the difference in a round trip.
        self.per_segment = match target.saturating_sub(cwnd) {
            0 => NonZero::<u32>::MAX,
            more => {
                let bytes = u64::from(cwnd) * u64::from(mss) / u64::from(more);
                NonZero::new(u32::try_from(bytes).unwrap_or(u32::MAX)).unwrap_or(NonZero::<u32>::MIN)
            }
        };
        self.credit = self.credit.min(self.per_segment.get() - 1);
        cwnd
    }

    /// `W_cubic`.
    fn window(&self, at: Tick, mss: u32) -> u32 {
        let steps = at.since(self.plateau);
        let rise = rise(steps.unsigned_abs(), mss);
        if steps < 0 { self.w_max.saturating_sub(rise) } else { self.w_max.saturating_add(rise) }
    }

    /// Time that passed while the window did not limit the sender does not count.
    fn skip(&mut self, now: Tick) {
        // RFC 9438 §4.2: "The elapsed time t MUST NOT include periods during which cwnd has not been updated due to
        // application-limited behavior".
        self.plateau = self.plateau.plus(now.since(self.seen) as u32);
        self.seen = now;
    }
}

impl Congestion for Cubic {
    fn new(mss: u32, segments: u32) -> Self {
        let mut cubic = Self {
            cwnd: 0,
            ssthresh: u32::MAX,
            prior: 0,
            mss: 0,
            initial: segments.clamp(1, u16::MAX.into()) as u16,
            stage: Stage::First(HyStart::new()),
        };
        cubic.set_mss(mss);
        cubic
    }

    fn set_mss(&mut self, mss: u32) {
        self.mss = mss.clamp(1, u16::MAX.into()) as u16;
        if self.initial > 0 {
            self.cwnd = self.initial_window();
        }
        self.cwnd = self.cwnd.max(self.mss());
    }

    fn window(&self) -> u32 {
        self.cwnd
    }

    fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    fn on_sent(&mut self, now: Instant, _bytes: u32, flight: &Flight) {
        if flight.bytes == 0
            && let Stage::Later(epoch) = &mut self.stage
        {
            epoch.skip(Tick::of(now));
        }
    }

    #[inline(always)]
    fn on_ack(&mut self, now: Instant, ack: &Ack) {
        self.initial = 0;
        let now = Tick::of(now);
        match &mut self.stage {
            Stage::Later(epoch) if ack.flight.window_limited => epoch.seen = now,
            Stage::Later(epoch) => return epoch.skip(now),
            Stage::First(hystart) => match hystart.grow(ack) {
                // RFC 3042: what arrives behind a hole makes room, and opens the window only once the hole is closed.
                Some(bytes) if ack.flight.window_limited && ack.acked > 0 => {
                    self.cwnd = self.cwnd.saturating_add(bytes);
                }
                Some(_) => {}
                None => {
                    // RFC 9438 §4.10.
                    self.prior = self.cwnd;
                    self.ssthresh = self.cwnd;
                    self.stage = Stage::Later(Epoch::towards(0));
                }
            },
        }
        if matches!(self.stage, Stage::First(_)) || ack.acked == 0 {
            return;
        }
        if self.cwnd < self.ssthresh {
            // After a timeout, or when idle: RFC 5681 §3.1. `delivered` leaves out what had been acknowledged selectively long
            // before, which may be much after a timeout.
            let bytes = ack.delivered;
            self.cwnd = self.cwnd.saturating_add(bytes).min(self.ssthresh);
        } else if !ack.recovering {
            self.avoid(now, ack.round, ack.srtt, ack.delivered);
        }
    }

    fn on_congestion(&mut self, _now: Instant, signal: Signal, _flight: &Flight) {
        self.reduce(self.saturation());
        // RFC 9438 §4.6: at least two segments after a loss, one after a mark.
        self.cwnd = match signal {
            Signal::Loss => self.ssthresh,
            Signal::Mark => beta(self.cwnd).max(self.mss()),
        };
    }

    fn on_timeout(&mut self, _now: Instant, _flight: &Flight, again: bool) {
        self.initial = 0;
        if !again {
            self.reduce(0);
        }
        self.cwnd = self.mss();
    }

    fn memory(&self) -> Memory {
        let epoch = match self.stage {
            Stage::First(_) => Epoch::towards(0),
            Stage::Later(epoch) => epoch,
        };
        Memory([self.ssthresh, self.prior, epoch.w_max, epoch.plateau.0, epoch.w_est])
    }

    fn undo(&mut self, now: Instant, before: &Memory) {
        // The window itself is `prior` now; a threshold of 0 says that there is nothing to bring back.
        let Memory([ssthresh, prior, w_max, plateau, w_est]) = *before;
        // RFC 9438 §4.9.2: only "if cwnd < cwnd_prior"; and each event once.
        if self.cwnd >= self.prior || ssthresh == 0 {
            return;
        }
        self.cwnd = self.prior;
        (self.ssthresh, self.prior) = (ssthresh, prior);
        self.stage = if ssthresh == u32::MAX {
            Stage::First(HyStart::new())
        } else {
            Stage::Later(Epoch {
                plateau: Tick(plateau),
                w_est,
                seen: Tick::of(now),
                begun: w_est > 0,
                ..Epoch::towards(w_max)
            })
        };
    }

    fn on_idle(&mut self, _now: Instant, _idle: Duration) {
        if let Stage::Later(epoch) = &mut self.stage {
            // RFC 7661 §4.4.3: slow start may go back to near where the window was.
            self.ssthresh = self.ssthresh.max(self.cwnd - self.cwnd / 4);
            epoch.begun = false;
        }
        // RFC 5681 §4.1: the restart window.
        self.cwnd = self.cwnd.min((10 * self.mss()).min((2 * self.mss()).max(14_600)));
    }

    fn on_syn_lost(&mut self) {
        if self.initial > 0 {
            self.initial = 1;
            self.cwnd = self.initial_window();
        }
    }
}

/// Seven tenths: β of RFC 9438 §4.6.
fn beta(window: u32) -> u32 {
    (u64::from(window) * 7 / 10) as u32
}

const _: () = assert!(size_of::<Cubic>() <= 44);
