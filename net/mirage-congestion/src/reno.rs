//! Reno: slow start and congestion avoidance (RFC 5681), counting bytes (RFC 3465).

use mirage_clock::{Duration, Instant};

use crate::{Ack, Congestion, Flight, Memory, Signal};

/// Reno: half the window at a loss, a segment more for each round trip without one.
///
/// It halves the window, where RFC 5681 §3.1 has half of what is under way. The difference shows when the window is larger
/// than what is under way, and such a window does not grow here.
#[derive(Clone, Copy, Debug)]
pub struct Reno {
    cwnd: u32,
    ssthresh: u32,
    /// Acknowledged in congestion avoidance since the window last grew.
    credit: u32,
    mss: u32,
    /// Segments of the initial window; 0 once something was acknowledged.
    initial: u32,
}

impl Reno {
    fn initial_window(&self) -> u32 {
        // RFC 6928 §2: "min (10*MSS, max (2*MSS, 14600))".
        let most = (2 * self.mss).max(14_600);
        self.initial.saturating_mul(self.mss).min(if self.initial <= 10 { most } else { u32::MAX }).max(self.mss)
    }

    /// The threshold is half the window, "2*SMSS" at least.
    fn reduce(&mut self) {
        self.ssthresh = (self.cwnd / 2).max(2 * self.mss);
        self.credit = 0;
    }
}

impl Congestion for Reno {
    fn new(mss: u32, segments: u32) -> Self {
        let mss = mss.clamp(1, LARGEST_MSS);
        let mut reno = Self { cwnd: 0, ssthresh: u32::MAX, credit: 0, mss, initial: segments.max(1) };
        reno.cwnd = reno.initial_window();
        reno
    }

    fn set_mss(&mut self, mss: u32) {
        self.mss = mss.clamp(1, LARGEST_MSS);
        if self.initial > 0 {
            self.cwnd = self.initial_window();
        }
        self.cwnd = self.cwnd.max(self.mss);
    }

    fn window(&self) -> u32 {
        self.cwnd
    }

    fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    fn on_ack(&mut self, _now: Instant, ack: &Ack) {
        self.initial = 0;
        if !ack.flight.window_limited || ack.acked == 0 {
            return;
        }
        if self.cwnd < self.ssthresh {
            // RFC 3465 §2.2: two segments for each acknowledgement. `delivered` leaves out what was acknowledged selectively
            // before, which after a timeout may be much.
            self.cwnd = self.cwnd.saturating_add(ack.delivered.min(2 * self.mss)).min(self.ssthresh);
            return;
        }
        if ack.recovering {
            return;
        }
        // RFC 3465 §2.1: a segment more for each window acknowledged, however many acknowledgements that took. What is left of
        // the window beside whole segments is never under way: waiting for it would make a round trip of more than one.
        self.credit = self.credit.saturating_add(ack.delivered);
        let usable = self.cwnd - self.cwnd % self.mss;
        if self.credit >= usable {
            self.credit -= usable;
            self.cwnd = self.cwnd.saturating_add(self.mss);
        }
    }

    fn on_congestion(&mut self, _now: Instant, _signal: Signal, _flight: &Flight) {
        self.reduce();
        self.cwnd = self.ssthresh;
    }

    fn on_timeout(&mut self, _now: Instant, _flight: &Flight, again: bool) {
        self.initial = 0;
        if !again {
            self.reduce();
        }
        self.cwnd = self.mss;
    }

    fn memory(&self) -> Memory {
        Memory([self.cwnd, self.ssthresh, 0, 0, 0])
    }

    fn undo(&mut self, _now: Instant, before: &Memory) {
        let Memory([cwnd, ssthresh, ..]) = *before;
        self.cwnd = self.cwnd.max(cwnd);
        self.ssthresh = self.ssthresh.max(ssthresh);
    }

    fn on_idle(&mut self, _now: Instant, _idle: Duration) {
        // RFC 7661 §4.4.3: slow start may go back to near where the window was.
        if self.ssthresh != u32::MAX {
            self.ssthresh = self.ssthresh.max(self.cwnd - self.cwnd / 4);
        }
        let initial = (10 * self.mss).min((2 * self.mss).max(14_600));
        self.cwnd = self.cwnd.min(initial);
        self.credit = 0;
    }

    fn on_syn_lost(&mut self) {
        if self.initial > 0 {
            self.initial = 1;
            self.cwnd = self.mss;
        }
    }
}

/// The largest payload of a packet.
const LARGEST_MSS: u32 = 65_535;
