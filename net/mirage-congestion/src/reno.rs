//! Reno: slow start and congestion avoidance (RFC 5681), counting bytes (RFC 3465).

use mirage_clock::{Duration, Instant};

use crate::{Ack, Congestion, Flight, Signal};

/// Reno: half the window at a loss, a segment more for each round trip without one.
#[derive(Clone, Copy, Debug)]
pub struct Reno {
    cwnd: u32,
    ssthresh: u32,
    /// Acknowledged in congestion avoidance since the window last grew.
    credit: u32,
    /// The window and threshold before the last reduction, for [`undo`](Congestion::undo).
    before: (u32, u32),
    mss: u32,
    /// Segments of the initial window; 0 once something was acknowledged.
    initial: u32,
}

impl Reno {
    fn initial_window(&self) -> u32 {
        // RFC 6928 §2: "min (10*MSS, max (2*MSS, 14600))".
        let most = (2 * self.mss).max(14_600);
        (self.initial * self.mss).min(if self.initial <= 10 { most } else { u32::MAX }).max(self.mss)
    }

    fn half(&self, flight: u32) -> u32 {
        (flight / 2).max(2 * self.mss)
    }
}

impl Congestion for Reno {
    fn new(mss: u32, segments: u32) -> Self {
        let mut reno =
            Self { cwnd: 0, ssthresh: u32::MAX, credit: 0, before: (0, 0), mss: mss.max(1), initial: segments.max(1) };
        reno.cwnd = reno.initial_window();
        reno
    }

    fn set_mss(&mut self, mss: u32) {
        self.mss = mss.max(1);
        if self.initial > 0 {
            self.cwnd = self.initial_window();
        }
    }

    fn window(&self) -> u32 {
        self.cwnd
    }

    fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    fn on_ack(&mut self, _now: Instant, ack: &Ack) {
        self.initial = 0;
        if ack.recovering || !ack.flight.window_limited {
            return;
        }
        if self.cwnd < self.ssthresh {
            self.cwnd = self.cwnd.saturating_add(ack.acked.min(2 * self.mss));
            return;
        }
        // RFC 3465 §2.1: a segment more for each window acknowledged, however many acknowledgements that took.
        self.credit = self.credit.saturating_add(ack.acked);
        if self.credit >= self.cwnd {
            self.credit -= self.cwnd;
            self.cwnd = self.cwnd.saturating_add(self.mss);
        }
    }

    fn on_congestion(&mut self, _now: Instant, _signal: Signal, flight: &Flight) {
        self.before = (self.cwnd, self.ssthresh);
        self.ssthresh = self.half(flight.bytes.min(self.cwnd));
        self.cwnd = self.ssthresh;
        self.credit = 0;
    }

    fn on_timeout(&mut self, _now: Instant, flight: &Flight, again: bool) {
        if !again {
            self.before = (self.cwnd, self.ssthresh);
            self.ssthresh = self.half(flight.bytes);
        }
        self.cwnd = self.mss;
        self.credit = 0;
    }

    fn undo(&mut self, _now: Instant) {
        self.cwnd = self.cwnd.max(self.before.0);
        self.ssthresh = self.ssthresh.max(self.before.1);
    }

    fn on_idle(&mut self, _now: Instant, _idle: Duration) {
        let initial = (10 * self.mss).min((2 * self.mss).max(14_600));
        self.cwnd = self.cwnd.min(initial);
    }

    fn on_syn_lost(&mut self) {
        if self.initial > 0 {
            self.initial = 1;
            self.cwnd = self.mss;
        }
    }
}
