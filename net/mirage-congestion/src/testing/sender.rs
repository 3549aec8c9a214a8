//! The sender: what is under way, what was lost, and when the next segment may go.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use mirage_clock::{Duration, Instant};

use crate::{Ack, Congestion, Flight, Memory, Rate, Signal};

use super::receiver::Arrived;
use super::reduction::Reduction;
use super::transmission::Transmission;

/// How much the application gives to send.
#[derive(Clone, Copy, Debug)]
pub enum Demand {
    /// There is always more.
    Endless,
    /// So many segments at the start of each interval.
    Every(Duration, u64),
}

/// A sender after an acknowledgement.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// When.
    pub at: Instant,
    /// The congestion window.
    pub window: u32,
    /// What is under way.
    pub in_flight: u32,
    /// The round trip that was measured.
    pub rtt: Duration,
}

/// A sender on the path.
#[derive(Debug)]
pub struct Sender<C> {
    /// The controller.
    pub control: C,
    /// Each acknowledgement so far.
    pub points: Vec<Point>,
    /// Times at which a recovery began.
    pub recoveries: u32,
    /// Times at which the retransmission timer went off.
    pub timeouts: u32,
    /// Segments thought lost.
    pub losses: u64,
    before: Memory,
    mss: u32,
    demand: Demand,
    /// The first segment not acknowledged, and the first never sent.
    una: u64,
    next: u64,
    /// From `una` on.
    segments: VecDeque<Segment>,
    /// In the order in which they left; the first has the number `first_transmission`.
    transmissions: VecDeque<Transmission>,
    first_transmission: u64,
    /// The number behind that of the newest transmission that arrived.
    newest_arrived: u64,
    /// To be sent again; some may have arrived since.
    lost: VecDeque<u64>,
    in_flight: u32,
    delivered: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
    lost_bytes: u64,
    app_limited_until: u64,
    window_limited: bool,
    round_ends: u64,
    /// The segment with which recovery ends, and how the window is shared out.
    recovery: Option<(u64, Reduction)>,
    /// The segment with which the repair after a timeout ends; transmissions before the other number preceded the timeout.
    after_timeout: Option<(u64, u64)>,
    mark_until: u64,
    /// What PRR allows to be under way.
    share: u32,
    rtt: Option<Rtt>,
    min_rtt: Duration,
    pace_at: Instant,
    timer_from: Instant,
    backoff: u32,
    probed: bool,
    woken_for: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    UnderWay(u64),
    Lost,
    Arrived,
}

#[derive(Clone, Copy, Debug)]
struct Rtt {
    smoothed: Duration,
    variation: Duration,
}

impl<C: Congestion> Sender<C> {
    pub(super) fn new(control: C, mss: u32, demand: Demand) -> Self {
        Self {
            control,
            points: Vec::new(),
            recoveries: 0,
            timeouts: 0,
            losses: 0,
            before: Memory::NOTHING,
            mss,
            demand,
            una: 0,
            next: 0,
            segments: VecDeque::new(),
            transmissions: VecDeque::new(),
            first_transmission: 0,
            newest_arrived: 0,
            lost: VecDeque::new(),
            in_flight: 0,
            delivered: 0,
            delivered_at: Instant::ZERO,
            first_sent_at: Instant::ZERO,
            lost_bytes: 0,
            app_limited_until: 0,
            window_limited: false,
            round_ends: 0,
            recovery: None,
            after_timeout: None,
            mark_until: 0,
            share: 0,
            rtt: None,
            min_rtt: Duration::MAX,
            pace_at: Instant::ZERO,
            timer_from: Instant::ZERO,
            backoff: 0,
            probed: false,
            woken_for: None,
        }
    }

    /// Bytes that were acknowledged in order.
    pub fn acknowledged(&self) -> u64 {
        self.una * u64::from(self.mss)
    }

    /// Bytes in a full segment.
    pub fn mss(&self) -> u32 {
        self.mss
    }

    /// The shortest round trip measured.
    pub fn min_rtt(&self) -> Duration {
        self.min_rtt
    }

    /// The next segment to leave now, with the number of its transmission.
    pub(super) fn transmit(&mut self, now: Instant) -> Option<(u64, u64)> {
        let window = match &self.recovery {
            Some(_) if C::PROPORTIONAL => self.share,
            _ => self.control.window(),
        };
        if self.in_flight + self.mss > window && self.in_flight > 0 {
            self.window_limited = true;
            return None;
        }
        if self.pace_at > now {
            return None;
        }
        while self.lost.front().is_some_and(|segment| self.state(*segment) != Some(Segment::Lost)) {
            self.lost.pop_front();
        }
        let segment = match self.lost.pop_front() {
            Some(segment) => segment,
            None if self.next < self.offered(now) => self.next,
            None => {
                // draft-ietf-ccwg-bbr §4.1.2.4.
                self.app_limited_until = (self.delivered + u64::from(self.in_flight)).max(1);
                self.window_limited = false;
                return None;
            }
        };
        Some((segment, self.send(now, segment)))
    }

    fn send(&mut self, now: Instant, segment: u64) -> u64 {
        self.control.on_sent(now, self.mss, &self.flight());
        if self.in_flight == 0 {
            (self.first_sent_at, self.delivered_at) = (now, now);
            self.timer_from = now;
        }
        self.in_flight += self.mss;
        let number = self.first_transmission + self.transmissions.len() as u64;
        self.transmissions.push_back(Transmission {
            segment,
            sent_at: now,
            first_sent_at: self.first_sent_at,
            delivered_at: self.delivered_at,
            delivered: self.delivered,
            lost: self.lost_bytes,
            in_flight: self.in_flight,
            app_limited: self.app_limited_until > 0,
            under_way: true,
        });
        if segment == self.next {
            self.next += 1;
            self.segments.push_back(Segment::UnderWay(number));
        } else {
            self.segments[(segment - self.una) as usize] = Segment::UnderWay(number);
        }
        if let Some((_, reduction)) = &mut self.recovery {
            reduction.on_sent(self.mss);
        }
        if let Some(rate) = self.control.pacing_rate() {
            let nanos = u64::from(self.mss) * 1_000_000_000 / rate.max(1);
            self.pace_at = self.pace_at.max(now) + Duration::from_nanos(nanos);
        }
        number
    }

    /// An acknowledgement came in.
    pub(super) fn acknowledge(&mut self, now: Instant, arrived: &Arrived) {
        let (prior, una, lost) = (self.in_flight, self.una, self.lost_bytes);
        let before = self.delivered;
        let mut newest: Option<Transmission> = None;
        let mut early = false;
        for (segment, number) in &arrived.segments {
            if self.state(*segment).is_none_or(|state| state == Segment::Arrived) {
                continue;
            }
            early |= self.after_timeout.is_some_and(|(_, timeout)| *number < timeout);
            if let Some(transmission) = self.deliver(now, *segment, *number) {
                newest = newest.filter(|newest| newest.sent_at > transmission.sent_at).or(Some(transmission));
            }
        }
        while self.segments.front() == Some(&Segment::Arrived) {
            self.segments.pop_front();
            self.una += 1;
        }
        let rate = newest.and_then(|newest| self.rate(now, &newest));
        let rtt = newest.map(|newest| now.since(newest.sent_at));
        if let Some(rtt) = rtt {
            self.measure(rtt);
        }
        let round = newest.is_some_and(|newest| newest.delivered >= self.round_ends);
        if round {
            self.round_ends = self.delivered;
        }
        if early {
            // What had been sent before the timeout arrives: the timeout was a mistake (RFC 3522).
            self.after_timeout = None;
            self.control.undo(now, &core::mem::take(&mut self.before));
        }
        self.detect_losses(now);
        self.end_recovery(now);
        if arrived.marked && self.una > self.mark_until {
            self.mark_until = self.next;
            self.before = Memory::NOTHING;
            self.control.on_congestion(now, Signal::Mark, &self.flight());
        }
        if self.lost_bytes > lost {
            self.begin_recovery(now, prior);
        }
        let delivered = (self.delivered - before) as u32;
        let ack = Ack {
            acked: ((self.una - una) * u64::from(self.mss)) as u32,
            delivered,
            lost: (self.lost_bytes - lost) as u32,
            flight: self.flight(),
            prior,
            rtt,
            srtt: self.rtt.map_or(Duration::ZERO, |rtt| rtt.smoothed),
            min_rtt: if self.min_rtt == Duration::MAX { Duration::ZERO } else { self.min_rtt },
            round,
            recovering: self.recovery.is_some(),
            rate,
        };
        self.control.on_ack(now, &ack);
        if let Some((_, reduction)) = &mut self.recovery {
            let ssthresh = self.control.ssthresh();
            self.share =
                reduction.window(delivered, self.in_flight, ssthresh, self.mss, self.una > una && ack.lost == 0);
        }
        if delivered > 0 {
            (self.timer_from, self.backoff, self.probed) = (now, 0, false);
        }
        if let Some(rtt) = rtt {
            let window = self.control.window();
            self.points.push(Point { at: now, window, in_flight: self.in_flight, rtt });
        }
    }

    /// A segment arrived; what is known of the transmission that brought it, unless that was thought lost.
    fn deliver(&mut self, now: Instant, segment: u64, number: u64) -> Option<Transmission> {
        if let Some(Segment::UnderWay(current)) = self.state(segment) {
            let index = (current - self.first_transmission) as usize;
            self.transmissions[index].under_way = false;
            self.in_flight -= self.mss;
        }
        self.segments[(segment - self.una) as usize] = Segment::Arrived;
        self.delivered += u64::from(self.mss);
        self.delivered_at = now;
        self.newest_arrived = self.newest_arrived.max(number + 1);
        let index = number.checked_sub(self.first_transmission)?;
        self.transmissions.get(index as usize).copied()
    }

    fn rate(&mut self, now: Instant, newest: &Transmission) -> Option<Rate> {
        if self.app_limited_until > 0 && self.delivered > self.app_limited_until {
            self.app_limited_until = 0;
        }
        let sending = newest.sent_at.since(newest.first_sent_at);
        let interval = sending.max(now.since(newest.delivered_at));
        self.first_sent_at = newest.sent_at;
        (interval >= self.min_rtt.min(now.since(newest.sent_at)) && !interval.is_zero()).then(|| Rate {
            delivered: (self.delivered - newest.delivered) as u32,
            interval,
            prior_delivered: newest.delivered as u32,
            in_flight_when_sent: newest.in_flight,
            lost: (self.lost_bytes - newest.lost) as u32,
            app_limited: newest.app_limited,
        })
    }

    fn measure(&mut self, rtt: Duration) {
        self.min_rtt = self.min_rtt.min(rtt);
        // RFC 6298 §2.
        self.rtt = Some(match self.rtt {
            None => Rtt { smoothed: rtt, variation: rtt / 2 },
            Some(Rtt { smoothed, variation }) => {
                let off = if rtt > smoothed { rtt - smoothed } else { smoothed - rtt };
                Rtt { smoothed: (smoothed * 7 + rtt) / 8, variation: (variation * 3 + off) / 4 }
            }
        });
    }

    /// RFC 8985: lost is what left before something that arrived, by three transmissions or a quarter of a round trip.
    fn detect_losses(&mut self, now: Instant) {
        while let Some(first) = self.transmissions.front().copied() {
            if first.under_way {
                let behind = self.newest_arrived.saturating_sub(self.first_transmission);
                if behind < 2 || (behind < 4 && now < first.sent_at + self.reordering()) {
                    return;
                }
                self.lose(first.segment);
            }
            self.transmissions.pop_front();
            self.first_transmission += 1;
        }
    }

    fn lose(&mut self, segment: u64) {
        self.segments[(segment - self.una) as usize] = Segment::Lost;
        self.lost.push_back(segment);
        self.in_flight -= self.mss;
        self.lost_bytes += u64::from(self.mss);
        self.losses += 1;
    }

    fn begin_recovery(&mut self, now: Instant, prior: u32) {
        if self.recovery.is_some() || self.after_timeout.is_some() {
            return;
        }
        self.recoveries += 1;
        self.recovery = Some((self.next, Reduction::new(prior)));
        self.before = self.control.memory();
        self.control.on_congestion(now, Signal::Loss, &self.flight());
    }

    fn end_recovery(&mut self, now: Instant) {
        let recovered = self.recovery.is_some_and(|(end, _)| self.una >= end);
        let repaired = self.after_timeout.is_some_and(|(end, _)| self.una >= end);
        if recovered {
            self.recovery = None;
        }
        if repaired {
            self.after_timeout = None;
        }
        if recovered || repaired {
            self.control.on_recovered(now, &self.flight());
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) or [`transmit`](Self::transmit) is to be called, if that is not known yet.
    pub(super) fn wake_at(&mut self, now: Instant) -> Option<Instant> {
        let mut at = Instant::MAX;
        if self.in_flight > 0 {
            at = at.min(self.timer());
            if let Some(first) = self.transmissions.front()
                && self.newest_arrived > self.first_transmission + 1
            {
                at = at.min(first.sent_at + self.reordering());
            }
        }
        if self.pace_at > now {
            at = at.min(self.pace_at);
        }
        if let Demand::Every(interval, _) = self.demand {
            let passed = now.as_nanos() / interval.as_nanos().max(1);
            at = at.min(Instant::ZERO + interval * (passed + 1));
        }
        let known = self.woken_for.is_some_and(|woken| woken > now && woken <= at);
        if known || at == Instant::MAX {
            return None;
        }
        self.woken_for = Some(at);
        Some(at)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.in_flight == 0 {
            return;
        }
        let (prior, lost) = (self.in_flight, self.lost_bytes);
        self.detect_losses(now);
        if self.lost_bytes > lost {
            self.begin_recovery(now, prior);
            self.share = self.share.max(self.in_flight + self.mss);
        }
        if self.in_flight == 0 || now < self.timer() {
            return;
        }
        if !self.probed && self.rtt.is_some() {
            // RFC 8985 §7: a probe, whatever the window; what is under way longest is sent again.
            self.probed = true;
            self.timer_from = now;
            if let Some(oldest) = self.transmissions.iter().find(|transmission| transmission.under_way).copied() {
                self.lose(oldest.segment);
                self.lost_bytes -= u64::from(self.mss);
                self.losses -= 1;
                let index = self.transmissions.iter().position(|transmission| transmission.under_way);
                if let Some(index) = index {
                    self.transmissions[index].under_way = false;
                }
            }
            return;
        }
        self.timeouts += 1;
        for index in 0..self.transmissions.len() {
            if core::mem::take(&mut self.transmissions[index].under_way) {
                self.lose(self.transmissions[index].segment);
            }
        }
        self.recovery = None;
        let numbers = self.first_transmission + self.transmissions.len() as u64;
        let again = self.backoff > 0;
        self.after_timeout = Some((self.next, numbers));
        if !again {
            self.before = self.control.memory();
        }
        self.control.on_timeout(now, &self.flight(), again);
        self.backoff += 1;
        self.timer_from = now;
        self.pace_at = now;
    }

    /// When the probe or the retransmission timer goes off.
    fn timer(&self) -> Instant {
        let Some(Rtt { smoothed, variation }) = self.rtt else {
            return self.timer_from + Duration::from_secs(1) * (1 << self.backoff.min(6));
        };
        let timeout = (smoothed + variation * 4).max(Duration::from_millis(200)) * (1 << self.backoff.min(6));
        self.timer_from + if self.probed { timeout } else { timeout.min(smoothed * 2 + Duration::from_millis(2)) }
    }

    /// How long after it left a segment is lost if a later one arrived.
    fn reordering(&self) -> Duration {
        self.rtt.map_or(Duration::MAX, |rtt| rtt.smoothed) + self.min_rtt / 4
    }

    fn state(&self, segment: u64) -> Option<Segment> {
        self.segments.get(usize::try_from(segment.checked_sub(self.una)?).ok()?).copied()
    }

    fn flight(&self) -> Flight {
        Flight { bytes: self.in_flight, delivered: self.delivered as u32, window_limited: self.window_limited }
    }

    /// How many segments the application has given so far.
    fn offered(&self, now: Instant) -> u64 {
        match self.demand {
            Demand::Endless => u64::MAX,
            Demand::Every(interval, segments) => (now.as_nanos() / interval.as_nanos().max(1) + 1) * segments,
        }
    }
}
