//! What a controller is told and what it answers.

use core::fmt::Debug;

use mirage_clock::{Duration, Instant};

/// How much may be under way, and how fast it may leave: the algorithm of one connection.
///
/// All amounts are bytes of payload. A controller reads no clock, sees no segment and keeps no list of what is under way: the
/// sender finds out what arrived and what was lost, and tells.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a congestion controller",
    note = "controllers: `mirage_cubic::Cubic`, `mirage_bbr::Bbr`, `mirage_congestion::Reno`"
)]
pub trait Congestion: Clone + Debug {
    /// Whether the sender shares out the window during recovery by Proportional Rate Reduction (RFC 6937). A controller that
    /// says how fast to send at any time, as BBR does, does not want that.
    const PROPORTIONAL: bool = true;

    /// The controller of a new connection: segments carry up to `mss` bytes, and `segments` of them may go before anything is
    /// acknowledged (RFC 6928).
    fn new(mss: u32, segments: u32) -> Self;

    /// Segments carry up to `mss` bytes from now on. Before anything was acknowledged this scales the initial window;
    /// later it keeps the window, but for one of less than a segment: with that nothing could be sent for ever.
    fn set_mss(&mut self, mss: u32);

    /// How much may be under way: the congestion window. At least one segment.
    fn window(&self) -> u32;

    /// Below this window it grows by what is acknowledged; [`u32::MAX`] before the first loss.
    fn ssthresh(&self) -> u32;

    /// How fast to send, in bytes a second; `None`: as fast as the window allows.
    fn pacing_rate(&self) -> Option<u64> {
        None
    }

    /// `bytes` are about to leave. Before them, `flight` is under way; if that is nothing, the sender was idle.
    fn on_sent(&mut self, _now: Instant, _bytes: u32, _flight: &Flight) {}

    /// An acknowledgement arrived that told of something new.
    fn on_ack(&mut self, now: Instant, ack: &Ack);

    /// The network is congested. Called once for each round trip at most: at the first loss noticed of what was under way, or
    /// at the first echo of a congestion mark.
    fn on_congestion(&mut self, now: Instant, signal: Signal, flight: &Flight);

    /// Everything that was under way when the loss was noticed is acknowledged.
    fn on_recovered(&mut self, _now: Instant, _flight: &Flight) {}

    /// The retransmission timer went off; `again` when it had for the same bytes before.
    fn on_timeout(&mut self, now: Instant, flight: &Flight, again: bool);

    /// What [`undo`](Self::undo) needs to know of how things stand now. The sender asks before each
    /// [`on_congestion`](Self::on_congestion) and each first [`on_timeout`](Self::on_timeout), and keeps the answer for as
    /// long as losses are being repaired, so that a controller does not carry it when nothing is wrong.
    fn memory(&self) -> Memory {
        Memory::NOTHING
    }

    /// The last [`on_congestion`](Self::on_congestion) or [`on_timeout`](Self::on_timeout) was a mistake: nothing had been
    /// lost (RFC 3522, RFC 5682). `before`: what [`memory`](Self::memory) said before it, or [`Memory::NOTHING`], with which
    /// nothing is brought back.
    fn undo(&mut self, now: Instant, before: &Memory);

    /// Nothing was sent for longer than a retransmission timeout (RFC 5681 §4.1).
    fn on_idle(&mut self, now: Instant, idle: Duration);

    /// The SYN, or our answer to one, had to be sent again (RFC 5681 §3.1): one segment to start with.
    fn on_syn_lost(&mut self);
}

/// How things stood before a reduction, in words that only the controller understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory(pub [u32; 5]);

impl Memory {
    /// Nothing is known.
    pub const NOTHING: Self = Self([0; 5]);
}

/// What is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// Sent and neither acknowledged nor thought lost: the "pipe" of RFC 6675.
    pub bytes: u32,
    /// Delivered since the connection began, modulo 2³².
    pub delivered: u32,
    /// Whether the congestion window was what kept the sender from sending more. An application that writes little does not
    /// prove that the path could take more (RFC 7661 §4.3).
    pub window_limited: bool,
}

/// What an acknowledgement tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// Bytes acknowledged in order by it.
    pub acked: u32,
    /// Bytes known to have arrived by it: acknowledged, in order or selectively, and not before.
    pub delivered: u32,
    /// Bytes that it made us think lost.
    pub lost: u32,
    /// What is under way after it.
    pub flight: Flight,
    /// What was under way before it.
    pub prior: u32,
    /// A measured round trip.
    pub rtt: Option<Duration>,
    /// The smoothed round trip; zero before the first measurement.
    pub srtt: Duration,
    /// The shortest round trip of the last minutes; zero before the first measurement.
    pub min_rtt: Duration,
    /// Whether a round trip has ended with it: something was acknowledged that was sent after the last one ended.
    pub round: bool,
    /// Whether losses are being repaired.
    pub recovering: bool,
    /// The delivery rate that it allows to measure.
    pub rate: Option<Rate>,
}

/// A measured delivery rate (draft-ietf-ccwg-bbr §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Bytes delivered over `interval`.
    pub delivered: u32,
    /// Over how long; never zero.
    pub interval: Duration,
    /// What had been delivered, modulo 2³², when the newest bytes now acknowledged were sent.
    pub prior_delivered: u32,
    /// What was under way when they were sent, themselves included.
    pub in_flight_when_sent: u32,
    /// Bytes thought lost since they were sent.
    pub lost: u32,
    /// Whether the application, not the network, decided how fast they were sent.
    pub app_limited: bool,
}

impl Rate {
    /// Bytes a second.
    pub fn bytes_per_second(&self) -> u64 {
        let nanos = self.interval.as_nanos().max(1);
        // 2^32 bytes times 10^9 fit in 62 bits.
        u64::from(self.delivered) * 1_000_000_000 / nanos
    }
}

/// A sign of congestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A segment was lost.
    Loss,
    /// The peer echoes a congestion mark (RFC 3168).
    Mark,
}
