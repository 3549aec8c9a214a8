//! A segment has arrived (RFC 9293 §3.10.7).

use core::net::{Ipv4Addr, SocketAddrV4};

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use mirage_stack::ErrorKind;
use zerocopy::FromBytes as _;

use crate::connection::{BREATH, NEVER, Slot, State};
use crate::tcp::{FAREWELL, Parts, Tcp};
use crate::wire::{self, ACK, FIN, RST, SYN};
use crate::{Count, Counters};

/// A segment without data, and where it goes.
#[derive(Clone, Copy)]
pub(crate) struct Bare {
    pub(crate) remote: SocketAddrV4,
    pub(crate) local_port: u16,
    pub(crate) sequence: SequenceNumber,
    pub(crate) acknowledgment: SequenceNumber,
    pub(crate) flags: u8,
    pub(crate) window: u16,
}

/// A segment taken apart.
struct Segment<'a> {
    remote: SocketAddrV4,
    local_port: u16,
    flags: u8,
    sequence: SequenceNumber,
    acknowledgment: SequenceNumber,
    window: u16,
    options: &'a [u8],
    payload: &'a [u8],
}

/// How long a connection stays in TIME-WAIT: twice a segment's life, which is as long as Linux gives it.
const TIME_WAIT: Duration = Duration::from_secs(60);
/// The longest that an acknowledgement is put off (RFC 9293 §3.8.6.3 allows half a second).
const DELAY: Duration = Duration::from_millis(40);
/// What a peer takes that does not say (RFC 9293 §3.7.1), and the least that is believed.
const USUAL_MSS: u16 = 536;
pub(crate) const LEAST_MSS: u16 = 88;
/// Sizes that a cookie tells apart; the largest that is no larger than the peer's stands for it.
const SIZES: [u16; 8] = [LEAST_MSS, 256, 536, 1_024, 1_360, 1_440, 1_460, 8_960];
/// For how long a cookie is good, once or twice.
pub(crate) const COOKIE: Duration = Duration::from_secs(64);

impl Segment<'_> {
    fn is(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Sequence numbers that it takes.
    fn len(&self) -> u32 {
        self.payload.len() as u32 + u32::from(self.is(SYN)) + u32::from(self.is(FIN))
    }

    /// The peer's largest segment (RFC 9293 §3.2), at most `most`.
    fn mss(&self, most: u16) -> u16 {
        let mut rest = self.options;
        let mut mss = USUAL_MSS;
        while let [kind, after @ ..] = rest {
            rest = match (kind, after) {
                (0, _) => break,
                (1, _) => after,
                (2, [4, high, low, rest @ ..]) => {
                    mss = u16::from_be_bytes([*high, *low]);
                    rest
                }
                // The length counts the kind; too short a one ends it all.
                (_, [len, ..]) if *len >= 2 => after.get(usize::from(*len) - 1..).unwrap_or_default(),
                _ => break,
            };
        }
        mss.min(most).max(LEAST_MSS)
    }

    /// The answer to a segment that has no place (RFC 9293 §3.5.2).
    fn reset(&self) -> Option<Bare> {
        let zero = SequenceNumber(0);
        let (sequence, acknowledgment, flags) = match self.flags & (RST | ACK) {
            0 => (zero, self.sequence.add(self.len()), RST | ACK),
            ACK => (self.acknowledgment, zero, RST),
            _ => return None,
        };
        let (remote, local_port) = (self.remote, self.local_port);
        Some(Bare { remote, local_port, sequence, acknowledgment, flags, window: 0 })
    }
}

impl Tcp<'_> {
    /// Takes a segment whose checksum was verified, on a link that takes segments of up to `most` bytes, and says what is to be answered at once.
    #[inline(never)]
    pub(crate) fn input(
        &mut self,
        now: Instant,
        source: Ipv4Addr,
        most: u16,
        bytes: &[u8],
        counters: &mut Counters,
    ) -> Option<Bare> {
        self.now = now;
        let taken_apart = wire::Tcp::ref_from_prefix(bytes).ok().and_then(|(header, rest)| {
            let options = usize::from(header.offset >> 4) * 4;
            let (options, payload) = rest.split_at_checked(options.checked_sub(20)?)?;
            let remote = SocketAddrV4::new(source, header.source.get());
            Some(Segment {
                remote,
                local_port: header.destination.get(),
                flags: header.flags,
                sequence: SequenceNumber(header.sequence.get()),
                acknowledgment: SequenceNumber(header.acknowledgment.get()),
                window: header.window.get(),
                options,
                payload,
            })
        });
        let Some(segment) = taken_apart.filter(|segment| segment.remote.port() != 0 && segment.local_port != 0) else {
            counters.add(Count::Tcp);
            return None;
        };
        let Some(index) = self.find(segment.remote, segment.local_port) else {
            return self.stranger(&segment, most, counters);
        };
        let slot = self.slots.get_mut(usize::from(index))?;
        if slot.state == State::SynSent {
            return self.syn_sent(index, &segment, most);
        }
        // A new connection may follow one in TIME-WAIT when it cannot be mistaken for it (RFC 9293 §3.6.1), and takes the
        // place of a handshake that can be ended without it.
        let again = match slot.state {
            State::TimeWait => segment.sequence.after(slot.expected),
            State::SynReceived => segment.sequence.add(1) != slot.expected,
            _ => false,
        };
        if again && !slot.owned && segment.flags & (SYN | ACK | RST) == SYN {
            self.release(index);
            return self.stranger(&segment, most, counters);
        }
        let answer = self.synchronised(index, &segment, counters);
        self.touch(index);
        answer
    }

    /// A segment that belongs to no connection: it begins one, ends a handshake of which we remember nothing, or is refused.
    fn stranger(&mut self, segment: &Segment<'_>, most: u16, counters: &mut Counters) -> Option<Bare> {
        let door = self.doors.iter().position(|door| door.port == segment.local_port);
        let syn = segment.flags & (SYN | ACK | RST | FIN) == SYN;
        let minute = self.now.as_nanos() / COOKIE.as_nanos();
        if let Some(door) = door
            && syn
        {
            let mss = segment.mss(most);
            let size = SIZES.iter().rposition(|size| *size <= mss).unwrap_or(0) as u32;
            let isn = self.cookie(segment, segment.sequence, minute) & !7 | size;
            let Some(index) = self.receive_syn(door as u8, segment, SequenceNumber(isn), mss) else {
                counters.add(Count::NoRoom);
                return None;
            };
            self.touch(index);
            return None;
        }
        if let Some(door) = door
            && segment.flags & (SYN | ACK | RST) == ACK
            && self.now < self.flooded
        {
            // The SYN before it was answered and forgotten (RFC 4987 §3.6).
            let isn = segment.acknowledgment - 1;
            let peer_isn = segment.sequence - 1;
            let good = |minute| (self.cookie(segment, peer_isn, minute) ^ isn.0) & !7 == 0;
            if good(minute) || good(minute.wrapping_sub(1)) {
                let mss = SIZES.get((isn.0 & 7) as usize).copied().unwrap_or(LEAST_MSS);
                let first = Segment { sequence: peer_isn, ..*segment };
                let index = self.receive_syn(door as u8, &first, isn, mss.min(most));
                let slot = index.and_then(|index| self.slots.get_mut(usize::from(index)));
                if let (Some(index), Some(slot)) = (index, slot) {
                    (slot.next, slot.top) = (isn.add(1), isn.add(1));
                    slot.start_timer(self.now);
                    let answer = self.synchronised(index, segment, counters);
                    self.touch(index);
                    return answer;
                }
                counters.add(Count::NoRoom);
                return None;
            }
        }
        counters.add(Count::NoConnection);
        segment.reset()
    }

    /// Thirty-two bits that only we can make of a SYN, in that minute.
    fn cookie(&self, segment: &Segment<'_>, peer_isn: SequenceNumber, minute: u64) -> u32 {
        let more = peer_isn.0.wrapping_add((minute as u32).wrapping_mul(0x9e37_79b9));
        self.secret_of(segment.remote, segment.local_port, more) as u32
    }

    /// A connection in SYN-RECEIVED.
    fn receive_syn(&mut self, door: u8, segment: &Segment<'_>, isn: SequenceNumber, mss: u16) -> Option<u16> {
        let index = self.claim()?;
        let options = self.doors.get(usize::from(door))?.options;
        let (now, room) = (self.now, self.room);
        let slot = self.slots.get_mut(usize::from(index))?;
        slot.set_options(now, &options);
        (slot.state, slot.remote, slot.local_port) = (State::SynReceived, segment.remote, segment.local_port);
        (slot.listener, slot.progress, slot.patience) = (door, now, slot.patience.min(FAREWELL));
        slot.begin(isn);
        slot.meet(segment, mss, room);
        Some(index)
    }

    /// A segment for a connection that we have opened (RFC 9293 §3.10.7.3).
    fn syn_sent(&mut self, index: u16, segment: &Segment<'_>, most: u16) -> Option<Bare> {
        let room = self.room;
        let now = self.now;
        let slot = self.slots.get_mut(usize::from(index))?;
        let acknowledges = segment.is(ACK);
        if acknowledges && (segment.acknowledgment != slot.top || slot.top == slot.una) {
            return segment.reset();
        }
        if segment.is(RST) {
            if acknowledges {
                self.finish(index, Some(ErrorKind::ConnectionRefused));
            }
            return None;
        }
        if !segment.is(SYN) {
            return None;
        }
        slot.meet(segment, segment.mss(most), room);
        if acknowledges {
            slot.acknowledge(now, segment, room);
            slot.state = State::Open;
            slot.ack_now = true;
            self.wakers.wake(&mut slot.writers);
        } else {
            // Both have opened at once: the SYN leaves again, with an acknowledgement.
            slot.state = State::SynReceived;
            slot.next = slot.una;
        }
        self.touch(index);
        None
    }

    /// A segment for a connection that has begun (RFC 9293 §3.10.7.4).
    fn synchronised(&mut self, index: u16, segment: &Segment<'_>, counters: &mut Counters) -> Option<Bare> {
        let (now, room) = (self.now, self.room);
        let slot = self.slots.get_mut(usize::from(index))?;
        let received = slot.state == State::SynReceived;
        if received && segment.is(SYN) && segment.sequence.add(1) == slot.expected {
            // Our answer was lost, or is on its way; in a simultaneous opening it has come.
            if segment.is(ACK) && segment.acknowledgment == slot.top && slot.owned {
                return self.establish(index, segment);
            }
            slot.next = slot.una;
            return None;
        }
        let end = segment.sequence.add(segment.len());
        if end.before(slot.expected) || segment.sequence.after(slot.edge) {
            counters.add(Count::Unacceptable);
            return if segment.is(RST) { None } else { slot.challenge(now, room) };
        }
        if segment.is(RST) {
            if segment.sequence != slot.expected {
                counters.add(Count::Unacceptable);
                return slot.challenge(now, room);
            }
            if slot.state != State::TimeWait {
                // In TIME-WAIT it would end what guards the next connection (RFC 1337).
                self.finish(index, Some(ErrorKind::ConnectionReset));
            }
            return None;
        }
        if segment.is(SYN) {
            counters.add(Count::Unacceptable);
            return slot.challenge(now, room);
        }
        if !segment.is(ACK) {
            return None;
        }
        if received {
            if segment.acknowledgment != slot.una.add(1) || slot.top == slot.una {
                return segment.reset();
            }
            let door = slot.listener;
            if !slot.owned && !self.has_room(door) {
                // It comes again.
                counters.add(Count::NoRoom);
                return None;
            }
            self.establish(index, segment);
        }
        let slot = self.slots.get_mut(usize::from(index))?;
        // RFC 5961 §5.2.
        let oldest = slot.una - u32::from(slot.largest_window);
        if segment.acknowledgment.after(slot.top) || segment.acknowledgment.before(oldest) {
            counters.add(Count::Unacceptable);
            return slot.challenge(now, room);
        }
        slot.heard(now);
        slot.acknowledge(now, segment, room);
        self.wakers.wake(&mut slot.writers);
        if slot.state == State::TimeWait {
            // The peer's FIN again.
            slot.ack_now |= segment.len() > 0;
            slot.timer = now.saturating_add(TIME_WAIT);
            return None;
        }
        if slot.end_acknowledged && slot.heard_end {
            if slot.passive {
                self.finish(index, None);
            } else {
                slot.time_wait(now);
            }
            return None;
        }
        if segment.len() > 0 { self.take(index, segment) } else { None }
    }

    /// The handshake is complete.
    fn establish(&mut self, index: u16, segment: &Segment<'_>) -> Option<Bare> {
        let (now, room) = (self.now, self.room);
        let slot = self.slots.get_mut(usize::from(index))?;
        slot.acknowledge(now, segment, room);
        slot.state = State::Open;
        if slot.owned {
            self.wakers.wake(&mut slot.writers);
            return None;
        }
        (slot.owned, slot.waits) = (true, true);
        let door = self.doors.get_mut(usize::from(slot.listener))?;
        slot.patience = door.options.user_timeout.unwrap_or(Slot::EMPTY.patience);
        self.wakers.wake(&mut door.acceptors);
        None
    }

    /// Takes the data of a segment and its FIN.
    fn take(&mut self, index: u16, segment: &Segment<'_>) -> Option<Bare> {
        let (now, room) = (self.now, self.room);
        let Parts { slot, inbox, .. } = self.parts(index)?;
        if slot.heard_end {
            // It comes again, or should not be.
            slot.ack_now = true;
            return None;
        }
        let before = slot.expected;
        // What has come before is cut off, and what is beyond the window.
        let known = slot.expected.signed_since(segment.sequence).max(0);
        let payload = segment.payload.get(known as usize..).unwrap_or_default();
        let start = segment.sequence.add(known as u32);
        let payload = payload.get(..start.distance_to(slot.edge) as usize).unwrap_or(payload);
        let len = payload.len() as u32;
        if len > 0 && !slot.owned {
            // There is nobody to take them.
            self.break_off(index);
            return None;
        }
        if segment.is(FIN) {
            slot.end = Some(segment.sequence.add(segment.payload.len() as u32));
        }
        // A copy: the frame is the device's again after this. Nobody keeps what nobody reads.
        let offset = start.since(slot.expected);
        if len > 0 && !slot.deaf {
            slot.inbox.put(inbox, slot.inbox.len + offset, payload);
        }
        if offset == 0 {
            slot.expected = start.add(len);
        } else if len > 0 {
            slot.keep_ahead(start, start.add(len));
            // The peer counts the answers (RFC 5681 §4.2).
            return Some(slot.answer(room));
        }
        slot.join_ahead();
        let gained = slot.expected.since(before);
        if !slot.deaf {
            slot.inbox.len += gained;
        }
        let usual = offset == 0 && gained == len && len > 0;
        if slot.end == Some(slot.expected) {
            slot.expected = slot.expected.add(1);
            // It may lie behind the window.
            slot.edge = slot.edge.latest(slot.expected);
            (slot.heard_end, slot.passive, slot.ack_now) = (true, !slot.ended, true);
            if slot.end_acknowledged {
                slot.time_wait(now);
            }
        }
        // Every second segment is acknowledged at once (RFC 9293 §3.8.6.3), whatever its size.
        slot.ack_now |= !usual || slot.ack_at != NEVER;
        slot.ack_at = now.saturating_add(DELAY);
        if slot.expected != before {
            let mut readers = core::mem::take(&mut slot.readers);
            self.wakers.wake(&mut readers);
        }
        None
    }

    /// An ICMP error about a segment of ours: `hard` if there is nobody, else with the MTU of the path if that is why
    /// (RFC 5927: only what is in flight can be meant). Whether it is about a connection.
    pub(crate) fn icmp_error(
        &mut self,
        quoted: &wire::Tcp,
        remote: Ipv4Addr,
        error: ErrorKind,
        mtu: Option<u16>,
    ) -> bool {
        let remote = SocketAddrV4::new(remote, quoted.destination.get());
        let index = self.find(remote, quoted.source.get());
        let Some((index, slot)) = index.and_then(|index| Some((index, self.slots.get_mut(usize::from(index))?))) else {
            return false;
        };
        let sequence = SequenceNumber(quoted.sequence.get());
        if sequence.before(slot.una) || sequence.at_or_after(slot.top) {
            return false;
        }
        if let Some(mtu) = mtu {
            let mss = mtu.saturating_sub(40).max(LEAST_MSS);
            if mss < slot.mss {
                (slot.mss, slot.next, slot.timed) = (mss, slot.una, None);
                self.touch(index);
            }
        } else if slot.state == State::SynSent {
            // Soft errors, too: who opens a connection has other addresses to try (RFC 5461 §4.1).
            self.finish(index, Some(error));
        }
        true
    }
}

impl Slot {
    /// Tells the peer where we are, as long as that is not done too often (RFC 5961 §7).
    #[inline(never)]
    fn challenge(&mut self, now: Instant, room: u32) -> Option<Bare> {
        if now < self.quiet {
            return None;
        }
        self.quiet = now.saturating_add(BREATH);
        Some(self.answer(room))
    }

    /// Learns from the peer's SYN.
    fn meet(&mut self, segment: &Segment<'_>, mss: u16, room: u32) {
        self.expected = segment.sequence.add(1);
        self.edge = self.expected.add(room);
        self.mss = mss;
        // RFC 6928.
        self.congestion_window = 10 * u32::from(mss);
        (self.window, self.largest_window) = (segment.window, segment.window);
        self.told_by = (segment.sequence, segment.acknowledgment);
    }

    /// Takes the acknowledgement and the window of a segment.
    fn acknowledge(&mut self, now: Instant, segment: &Segment<'_>, room: u32) {
        let ack = segment.acknowledgment;
        let (sequence, before) = (segment.sequence, self.window);
        let newer = self.told_by.0.before(sequence) || (self.told_by.0 == sequence && self.told_by.1.at_or_before(ack));
        if newer {
            (self.window, self.told_by) = (segment.window, (sequence, ack));
            self.largest_window = self.largest_window.max(segment.window);
        }
        // A peer that closes its window and is asked is there all the same.
        if self.window == 0 && self.owned {
            self.progress = now;
        }
        if self.window > 0 && before == 0 && self.in_flight() <= 1 {
            // What probed the window goes again with all that has room now.
            (self.next, self.timer) = (self.una, NEVER);
            self.settle_rto();
        }
        let mss = u32::from(self.mss);
        if !ack.after(self.una) {
            let duplicate = ack == self.una && segment.len() == 0 && before == segment.window && self.in_flight() > 0;
            if duplicate {
                self.duplicated(mss);
            }
            return;
        }
        let syn = u32::from(self.state != State::Open && self.state != State::TimeWait);
        let acknowledged = ack.since(self.una) - syn;
        let bytes = acknowledged.min(self.outbox.len);
        self.end_acknowledged |= self.ended && acknowledged > bytes;
        self.outbox.forget(bytes, room as usize);
        self.una = ack;
        if self.next.before(ack) {
            self.next = ack;
        }
        if let Some((end, sent)) = self.timed
            && ack.at_or_after(end)
        {
            self.timed = None;
            // Only a measure ends what backing off has begun (Karn's algorithm).
            self.measured(now.since(sent));
            self.settle_rto();
        }
        self.progress = now;
        self.duplicates = 0;
        if self.in_flight() > 0 {
            self.start_timer(now);
        } else {
            self.timer = NEVER;
        }
        if self.recovering && ack.before(self.recover) {
            // RFC 6582 §3.2: the next one is lost, too.
            self.resend = true;
            self.congestion_window = self.congestion_window.saturating_sub(bytes).saturating_add(mss);
        } else if self.recovering {
            self.recovering = false;
            self.congestion_window = self.threshold;
        } else if syn == 0 {
            // RFC 5681 §3.1, RFC 3465.
            let congestion_window = self.congestion_window.max(1);
            let slow_start = congestion_window < self.threshold;
            let more = if slow_start { bytes.min(2 * mss) } else { (mss * bytes.min(mss) / congestion_window).max(1) };
            // More than twice any window is of no use.
            self.congestion_window = (congestion_window + more).min(2 * u32::from(u16::MAX));
        }
    }

    /// The same acknowledgement again (RFC 5681 §3.2).
    fn duplicated(&mut self, mss: u32) {
        self.duplicates = self.duplicates.saturating_add(1);
        if self.recovering {
            self.congestion_window = (self.congestion_window + mss).min(2 * u32::from(u16::MAX));
        } else if self.duplicates == 3 && self.una.at_or_after(self.recover) {
            self.threshold = (self.in_flight() / 2).max(2 * mss);
            self.congestion_window = self.threshold + 3 * mss;
            (self.recover, self.recovering, self.resend) = (self.top, true, true);
        }
    }

    fn time_wait(&mut self, now: Instant) {
        self.state = State::TimeWait;
        self.timer = now.saturating_add(TIME_WAIT);
        self.ask_at = NEVER;
    }

    /// Remembers that the bytes from `start` to `end` have come.
    fn keep_ahead(&mut self, start: SequenceNumber, end: SequenceNumber) {
        // One that it touches grows; else it takes a free place. With none left the peer sends it again.
        let touches = |range: &&mut (SequenceNumber, SequenceNumber)| {
            range.0 != range.1 && !end.before(range.0) && !start.after(range.1)
        };
        if let Some(range) = self.ahead.iter_mut().find(touches) {
            range.0 = if start.before(range.0) { start } else { range.0 };
            range.1 = if end.after(range.1) { end } else { range.1 };
        } else if let Some(free) = self.ahead.iter_mut().find(|range| range.0 == range.1) {
            *free = (start, end);
        }
    }

    /// Goes on behind what has come ahead.
    fn join_ahead(&mut self) {
        // Each round empties one.
        while let Some(range) =
            self.ahead.iter_mut().find(|range| range.0 != range.1 && range.0.at_or_before(self.expected))
        {
            if range.1.after(self.expected) {
                self.expected = range.1;
            }
            range.1 = range.0;
        }
    }
}
