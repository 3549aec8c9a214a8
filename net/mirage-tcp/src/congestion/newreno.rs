//! NewReno: slow start, congestion avoidance, fast retransmit and fast recovery (RFC 5681, RFC 6582), with a window of
//! ten segments to start with (RFC 6928), limited transmit (RFC 3042) and counting of bytes (RFC 3465).

use mirage_checksum::SequenceNumber;

use super::{Reaction, Sender};

/// The state of NewReno; all sizes in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewReno {
    cwnd: u32,
    ssthresh: u32,
    /// Acknowledged in congestion avoidance since the window last grew.
    credit: u32,
    /// The number behind the highest sent when the last loss was noticed, if there was one (RFC 6582 §3.2).
    recover: Option<SequenceNumber>,
    mss: u16,
    initial_segments: u16,
    duplicates: u8,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was acknowledged yet.
    Initial,
    /// No loss is known.
    Open,
    /// Third duplicate to full acknowledgement.
    Recovery,
    /// The same, after its first partial acknowledgement.
    PartialRecovery,
    /// Slow start after a timeout, until `recover` is acknowledged.
    Loss,
}

impl NewReno {
    /// The controller of a new connection: segments carry up to `mss` bytes, the window starts with at most
    /// `initial_segments` of them.
    pub(crate) fn new(mss: u16, initial_segments: u16) -> Self {
        let mut control = Self {
            cwnd: 0,
            ssthresh: u32::MAX,
            credit: 0,
            recover: None,
            mss: mss.max(1),
            initial_segments,
            duplicates: 0,
            phase: Phase::Initial,
        };
        control.cwnd = control.initial_window();
        control
    }

    /// Segments carry up to `mss` bytes from now on. Before anything was acknowledged this scales the initial window.
    pub(crate) fn set_mss(&mut self, mss: u16) {
        self.mss = mss.max(1);
        if self.phase == Phase::Initial {
            self.cwnd = self.initial_window();
        }
    }

    /// How many bytes may be under way.
    pub(crate) fn window(&self) -> u32 {
        // RFC 3042: the first two duplicates each let one new segment out although the window does not grow.
        match self.phase {
            Phase::Initial | Phase::Open => self.cwnd.saturating_add(u32::from(self.duplicates.min(2)) * self.mss()),
            _ => self.cwnd,
        }
    }

    /// Below this window it grows by what is acknowledged, above it by one segment each round trip.
    pub(crate) fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    /// Whether a loss is being repaired after duplicate acknowledgements.
    pub(crate) fn in_recovery(&self) -> bool {
        matches!(self.phase, Phase::Recovery | Phase::PartialRecovery)
    }

    /// `acked` new bytes were acknowledged.
    pub(crate) fn on_ack(&mut self, acked: u32, sender: Sender) -> Reaction {
        self.duplicates = 0;
        match self.phase {
            Phase::Initial | Phase::Open => {
                self.phase = Phase::Open;
                self.grow(acked, sender.limited, 2);
                Reaction::Nothing
            }
            Phase::Loss => {
                if self.covers_recover(sender) {
                    self.phase = Phase::Open;
                }
                // RFC 3465 §2.3: after a timeout an acknowledgement may cover what arrived long ago: L = 1.
                self.grow(acked, sender.limited, 1);
                Reaction::Nothing
            }
            Phase::Recovery | Phase::PartialRecovery => self.on_recovery_ack(acked, sender),
        }
    }

    fn on_recovery_ack(&mut self, acked: u32, sender: Sender) -> Reaction {
        if self.covers_recover(sender) {
            // RFC 6582 §3.2 (3), full acknowledgement, option 1: no burst follows.
            let flight = sender.max.since(sender.una);
            self.cwnd = self.ssthresh.min(flight.max(self.mss()).saturating_add(self.mss()));
            self.phase = Phase::Open;
            self.credit = 0;
            return Reaction::Nothing;
        }
        // Partial acknowledgement: what was acknowledged left the network, "add back SMSS bytes to the congestion window".
        self.cwnd = self.cwnd.saturating_sub(acked).max(self.mss());
        if acked >= self.mss() {
            self.cwnd = self.cwnd.saturating_add(self.mss());
        }
        self.phase = Phase::PartialRecovery;
        Reaction::Retransmit
    }

    /// A duplicate acknowledgement came in (RFC 5681 §2): data is under way, nothing new was acknowledged, the window is
    /// the same, and the segment was empty.
    pub(crate) fn on_duplicate_ack(&mut self, sender: Sender) -> Reaction {
        self.duplicates = self.duplicates.saturating_add(1);
        if self.in_recovery() {
            // Each stands for a segment that left the network. More than were under way when the loss was noticed are
            // invented by the peer (Savage et al. 1999) and worth nothing.
            let most = self.ssthresh.saturating_add(self.recover.unwrap_or(sender.una).since(sender.una));
            self.cwnd = self.cwnd.saturating_add(self.mss()).min(most.max(self.cwnd));
            return Reaction::Nothing;
        }
        // RFC 6582 §3.2 (2): duplicates of an acknowledgement that does not cover "more than recover" may come from our own
        // retransmissions. (`recover` is one more than the RFC's, as an acknowledgement is than what it covers.)
        if self.duplicates != DUPLICATES
            || self.phase == Phase::Loss
            || self.recover.is_some_and(|recover| sender.una.at_or_before(recover))
        {
            return Reaction::Nothing;
        }
        let flight = sender.max.since(sender.una);
        self.ssthresh = self.half(flight);
        self.recover = Some(sender.max);
        self.cwnd = self.ssthresh.saturating_add(u32::from(DUPLICATES) * self.mss());
        self.phase = Phase::Recovery;
        Reaction::Retransmit
    }

    /// The retransmission timer went off; `again` when it had for the same data before.
    pub(crate) fn on_rto(&mut self, sender: Sender, again: bool) {
        if !again {
            // RFC 5681 §3.1 (4), with what is under way and not the window.
            self.ssthresh = self.half(sender.max.since(sender.una));
        }
        self.cwnd = self.mss();
        self.recover = Some(sender.max);
        self.credit = 0;
        self.duplicates = 0;
        self.phase = Phase::Loss;
    }

    /// Nothing was sent for longer than a retransmission timeout (RFC 5681 §4.1).
    pub(crate) fn on_idle(&mut self) {
        if !self.in_recovery() {
            self.cwnd = self.cwnd.min(self.initial_window());
            self.duplicates = 0;
        }
    }

    /// The SYN or our answer to one had to be sent again (RFC 5681 §3.1).
    pub(crate) fn on_syn_lost(&mut self) {
        self.initial_segments = 1;
        if self.phase == Phase::Initial {
            self.cwnd = self.initial_window();
        }
    }

    /// Opens the window for `acked` bytes, in slow start by at most `limit` segments each time (L of RFC 3465).
    fn grow(&mut self, acked: u32, limited: bool, limit: u32) {
        if !limited {
            return;
        }
        if self.cwnd < self.ssthresh {
            self.cwnd = self.cwnd.saturating_add(acked.min(limit * self.mss()));
            return;
        }
        // RFC 3465 §2.1: a segment more for each window acknowledged, however many acknowledgements that took.
        self.credit = self.credit.saturating_add(acked);
        if self.credit >= self.cwnd {
            self.credit -= self.cwnd;
            self.cwnd = self.cwnd.saturating_add(self.mss());
        }
    }

    /// Whether everything that was under way at the last loss is acknowledged.
    fn covers_recover(&self, sender: Sender) -> bool {
        self.recover.is_none_or(|recover| sender.una.at_or_after(recover))
    }

    /// RFC 5681 (4): `max (FlightSize / 2, 2*SMSS)`.
    fn half(&self, flight: u32) -> u32 {
        (flight / 2).max(2 * self.mss())
    }

    fn initial_window(&self) -> u32 {
        // RFC 6928 §2: min (10*MSS, max (2*MSS, 14600)), which for usual sizes is ten segments.
        let segments = u32::from(self.initial_segments.max(1));
        let most = segments * self.mss();
        if segments <= 2 { most } else { most.min((2 * self.mss()).max(segments * 1460)) }
    }

    fn mss(&self) -> u32 {
        u32::from(self.mss)
    }
}

/// The third duplicate acknowledgement means a loss (RFC 5681 §3.2).
const DUPLICATES: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MSS: u32 = 1000;
    const ISS: SequenceNumber = SequenceNumber(u32::MAX - 3);

    fn fresh() -> NewReno {
        NewReno::new(MSS as u16, 10)
    }

    fn sender(una: u32, nxt: u32) -> Sender {
        Sender { una: ISS.add(1 + una), max: ISS.add(1 + nxt), limited: true }
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<NewReno>() <= 32);
    }

    #[test]
    fn it_starts_with_ten_segments_or_fewer_large_ones() {
        assert_eq!(NewReno::new(1460, 10).window(), 14_600);
        assert_eq!(NewReno::new(536, 10).window(), 5_360);
        assert_eq!(NewReno::new(8960, 10).window(), 17_920);
        let mut lost = fresh();
        lost.on_syn_lost();
        assert_eq!(lost.window(), MSS);
    }

    #[test]
    fn slow_start_doubles_the_window_each_round_trip() {
        let mut control = fresh();
        for segment in 0..10 {
            control.on_ack(MSS, sender((segment + 1) * MSS, 20 * MSS));
        }
        assert_eq!(control.window(), 20 * MSS);
    }

    #[test]
    fn one_acknowledgement_opens_the_window_by_two_segments_at_most() {
        let mut control = fresh();
        control.on_ack(10 * MSS, sender(10 * MSS, 10 * MSS));
        assert_eq!(control.window(), 12 * MSS);
    }

    #[test]
    fn acknowledging_byte_by_byte_gains_nothing() {
        let mut control = fresh();
        for byte in 0..MSS {
            control.on_ack(1, sender(byte + 1, 10 * MSS));
        }
        assert_eq!(control.window(), 11 * MSS);
    }

    #[test]
    fn an_application_that_writes_little_does_not_open_the_window() {
        let mut control = fresh();
        for byte in 0..1000 {
            control.on_ack(1, Sender { limited: false, ..sender(byte + 1, byte + 1) });
        }
        assert_eq!(control.window(), 10 * MSS);
    }

    #[test]
    fn two_duplicates_each_let_one_new_segment_out() {
        let mut control = fresh();
        for expected in [11, 12] {
            assert_eq!(control.on_duplicate_ack(sender(0, 10 * MSS)), Reaction::Nothing);
            assert_eq!(control.window(), expected * MSS);
        }
    }

    fn in_recovery() -> NewReno {
        let mut control = fresh();
        control.on_duplicate_ack(sender(0, 10 * MSS));
        control.on_duplicate_ack(sender(0, 10 * MSS));
        assert_eq!(control.on_duplicate_ack(sender(0, 10 * MSS)), Reaction::Retransmit);
        control
    }

    #[test]
    fn the_third_duplicate_halves_the_window_and_sends_again() {
        let control = in_recovery();
        assert!(control.in_recovery());
        assert_eq!((control.ssthresh(), control.window()), (5 * MSS, 8 * MSS));
    }

    #[test]
    fn a_partial_acknowledgement_sends_the_next_hole_again() {
        let mut control = in_recovery();
        assert_eq!(control.on_ack(3 * MSS, sender(3 * MSS, 10 * MSS)), Reaction::Retransmit);
        assert!(control.in_recovery());
        assert_eq!(control.window(), 6 * MSS);
        assert_eq!(control.on_ack(7 * MSS, sender(10 * MSS, 12 * MSS)), Reaction::Nothing);
        assert!(!control.in_recovery());
        assert_eq!(control.window(), 3 * MSS, "two segments are under way: no burst");
    }

    #[test]
    fn invented_duplicates_do_not_open_the_window() {
        let mut control = in_recovery();
        for _ in 0..1000 {
            control.on_duplicate_ack(sender(0, 10 * MSS));
        }
        assert_eq!(control.window(), 5 * MSS + 10 * MSS);
    }

    #[test]
    fn a_timeout_starts_again_with_one_segment_and_halves_only_once() {
        let mut control = fresh();
        control.on_rto(sender(0, 10 * MSS), false);
        assert_eq!((control.ssthresh(), control.window()), (5 * MSS, MSS));
        control.on_rto(sender(0, MSS), true);
        assert_eq!((control.ssthresh(), control.window()), (5 * MSS, MSS));
        control.on_ack(4 * MSS, sender(4 * MSS, 10 * MSS));
        assert_eq!(control.window(), 2 * MSS, "one segment each acknowledgement after a timeout");
    }

    #[test]
    fn duplicates_of_our_own_retransmissions_do_not_count_as_loss() {
        let mut control = fresh();
        control.on_rto(sender(0, 10 * MSS), false);
        control.on_ack(MSS, sender(MSS, 10 * MSS));
        for _ in 0..5 {
            assert_eq!(control.on_duplicate_ack(sender(MSS, 10 * MSS)), Reaction::Nothing);
        }
        assert_eq!(control.window(), 2 * MSS);
    }

    #[test]
    fn a_second_loss_after_a_full_acknowledgement_is_repaired_too() {
        let mut control = in_recovery();
        control.on_ack(11 * MSS, sender(11 * MSS, 15 * MSS));
        control.on_duplicate_ack(sender(11 * MSS, 15 * MSS));
        control.on_duplicate_ack(sender(11 * MSS, 15 * MSS));
        assert_eq!(control.on_duplicate_ack(sender(11 * MSS, 15 * MSS)), Reaction::Retransmit);
    }

    #[test]
    fn congestion_avoidance_adds_a_segment_each_window() {
        let mut control = fresh();
        control.on_rto(sender(0, 10 * MSS), false);
        let mut una = 0;
        while control.window() < 5 * MSS {
            una += MSS;
            control.on_ack(MSS, sender(una, 40 * MSS));
        }
        let acks = (0..).take_while(|_| {
            una += MSS;
            control.on_ack(MSS, sender(una, 40 * MSS));
            control.window() < 6 * MSS
        });
        assert_eq!(acks.count(), 4, "the fifth opens it");
    }

    #[test]
    fn an_idle_connection_starts_again_with_the_initial_window() {
        let mut control = fresh();
        for segment in 0..50 {
            control.on_ack(MSS, sender((segment + 1) * MSS, 100 * MSS));
        }
        control.on_idle();
        assert_eq!(control.window(), 10 * MSS);
    }

    #[derive(Clone, Debug)]
    enum Event {
        Send(u16),
        Ack(u16, bool),
        Duplicate,
        Rto(bool),
        Idle,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0_u16..20_000).prop_map(Event::Send),
            (1_u16..10_000, any::<bool>()).prop_map(|(acked, limited)| Event::Ack(acked, limited)),
            Just(Event::Duplicate),
            any::<bool>().prop_map(Event::Rto),
            Just(Event::Idle),
        ]
    }

    proptest! {
        /// Whatever happens, a segment may be sent, and the window never grows by more than was acknowledged plus what
        /// duplicates allow.
        #[test]
        fn the_window_stays_between_a_segment_and_what_was_earned(
            events in proptest::collection::vec(event(), 0..300),
        ) {
            let mut control = fresh();
            let (mut una, mut nxt, mut earned) = (0_u32, 0_u32, 10 * MSS);
            for event in events {
                match event {
                    Event::Send(len) => nxt += u32::from(len),
                    Event::Ack(acked, limited) => {
                        let acked = u32::from(acked).min(nxt - una);
                        if acked > 0 {
                            una += acked;
                            earned += acked.max(MSS);
                            control.on_ack(acked, Sender { limited, ..sender(una, nxt) });
                        }
                    }
                    Event::Duplicate if una < nxt => {
                        earned += MSS;
                        control.on_duplicate_ack(sender(una, nxt));
                    }
                    Event::Rto(again) if una < nxt => control.on_rto(sender(una, nxt), again),
                    Event::Idle => control.on_idle(),
                    Event::Duplicate | Event::Rto(_) => {}
                }
                prop_assert!(control.window() >= MSS);
                prop_assert!(control.window() <= earned + (nxt - una) + 5 * MSS);
                prop_assert!(control.ssthresh() >= 2 * MSS);
            }
        }
    }
}
