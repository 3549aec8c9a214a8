//! The segments of a usual handshake, each in one straight line.

use mirage_checksum::{SequenceNumber, Sum};
use mirage_clock::{Duration, Instant};
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, Received};

use super::bare::BARE;
use crate::connection::{Slot, todo};
use crate::demux::{Found, Tuple};
use crate::facts::Facts;
use crate::options::SynOptions;
use crate::path::Probing;
use crate::resources::Resources;
use crate::rto::RoundTrip;
use crate::stamps::Stamps;
use crate::tuning::Tuning;
use crate::usual_syn::UsualSyn;
use crate::wire::{Flags, STAMPED_LEN, STAMPS, SYN_LEN, word};
use crate::{Config, Discard, Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// A segment as long as a SYN is mostly.
    // By itself, so that the compiler has registers for it.
    #[inline(never)]
    pub(super) fn input_opening(&mut self, now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        let opens = received.payload.get(12).is_some_and(|words| *words == (SYN_LEN as u8 / 4) << 4);
        if !opens || received.cast != Cast::Unicast {
            return self.input_short(now, received);
        }
        self.resources.again.len = 0;
        let index = self.last;
        let result = if let Some(slot) = self.connections.get_mut(index as usize)
            && slot.tuple.is_of(received)
        {
            if !P::OPENS || slot.state != State::SynSent {
                return self.input_any(now, received);
            }
            match slot.input_usual_syn_ack(&mut self.resources, now, received) {
                Some(result) => {
                    self.settle_here(index);
                    result
                }
                None => return self.input_any(now, received),
            }
        } else {
            match self.find_connection(now, received) {
                Ok(Some(_)) => return self.input_any(now, received),
                Ok(None) => Ok(()),
                Err(reason) => Err(reason),
            }
        };
        self.resources.stats.segments_in += 1;
        if let Err(reason) = result {
            self.discards.count(reason);
        }
        result
    }

    /// Takes in a SYN that says what is usual, for a listener that has room; nothing but a listener is there for `tuple`, which
    /// was looked for last. `None` when anything is unusual, and then nothing was done.
    #[inline]
    pub(super) fn input_usual_syn(
        &mut self,
        now: Instant,
        tuple: &Tuple,
        received: &Received<'_>,
    ) -> Option<Result<(), Discard>> {
        let header = <&[u8; SYN_LEN]>::try_from(received.payload).ok()?;
        let syn = UsualSyn::read(header).filter(|syn| syn.flags == Flags::SYN)?;
        let listener = self.find_listener(tuple.local, tuple.local_port)?;
        let first = self.first(now);
        let Tcp { connections, listeners, half_open, resources, replies, .. } = self;
        let index = half_open.free;
        let door = listeners.get_mut(listener as usize)?;
        let slot = half_open.slots.get_mut(index as usize)?;
        let has_room =
            !(door.is_full() || door.is_flooded()) && connections.get(self.free_connection as usize).is_some();
        let counted = P::PEERS && resources.config.per_peer > 0;
        if !has_room || counted || (P::FAST_OPEN && door.fast_open.is_some()) {
            return None;
        }
        if !is_valid(tuple, received, Sum::of_array(header)) {
            return Some(Err(Discard::BadChecksum));
        }
        door.half_open += 1;
        half_open.free = slot.next;
        half_open.count += 1;
        slot.tuple = *tuple;
        slot.listener = door.id(listener);
        (slot.iss, slot.irs) = (first.number, syn.seq);
        slot.peer = syn.options();
        slot.stamp_offset = first.stamp_offset;
        slot.window = resources.first_window();
        (slot.granted, slot.resent) = (None, 0);
        slot.since = now;
        replies.push_syn_ack(index, first.number);
        resources.timers.set(connections.len() as u32 + index, now + resources.config.initial_rto);
        self.link_latest(Found::HalfOpen(index));
        Some(Ok(()))
    }

    /// Takes in the acknowledgement that completes a handshake in which both ends said what is usual, and carries nothing else.
    /// `None` when anything is unusual, and then nothing was done. `tuple` was looked for last.
    #[inline]
    pub(super) fn input_usual_confirmation(
        &mut self,
        now: Instant,
        half_open: u32,
        received: &Received<'_>,
    ) -> Option<Result<(), Discard>> {
        let header = <&[u8; STAMPED_LEN]>::try_from(received.payload).ok()?;
        let word = |at| word(header, at);
        let slot = self.half_open.slots.get(half_open as usize)?;
        let (stamp, _) = slot.usual_stamps::<P>(&self.resources.config)?;
        let (seq, value) = (SequenceNumber(word(4)), word(24));
        let door = self.listeners.get(slot.listener.index as usize)?;
        let counted = P::PEERS && self.resources.config.per_peer > 0;
        let usual = word(12) & !0xffff == BARE
            && word(20) == STAMPS
            && seq == slot.irs + 1
            && SequenceNumber(word(8)) == slot.iss + 1
            && (value.wrapping_sub(stamp) as i32) >= 0
            && door.is(slot.listener)
            && !door.is_full()
            && !counted;
        if !usual {
            return None;
        }
        if !is_valid(&slot.tuple, received, Sum::of_array(header)) {
            return Some(Err(Discard::BadChecksum));
        }
        let index = self.admit_usual(now, half_open, value, word(12) & 0xffff)?;
        self.last = index;
        self.settle_here(index);
        Some(Ok(()))
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// A usual handshake is complete: it becomes a connection that waits to be accepted, and is forgotten. What completes it
    /// carries the timestamp `value` and a `window` not yet scaled. `None` when there is no slot for it, and then nothing was
    /// done. Its tuple was looked for last.
    #[inline(always)]
    fn admit_usual(&mut self, now: Instant, half_open: u32, value: u32, window: u32) -> Option<u32> {
        let index = self.free_connection;
        let Tcp { connections, listeners, half_open: handshakes, resources, beginning, .. } = self;
        let count = connections.len() as u32;
        let slot = connections.get_mut(index as usize)?;
        let handshake = handshakes.slots.get_mut(half_open as usize)?;
        let listener = handshake.listener.index;
        let door = listeners.get_mut(listener as usize)?;
        self.free_connection = slot.next;
        self.in_use += 1;
        let config = &resources.config;
        let SynOptions { mss, window_scale, .. } = handshake.peer;
        let (scale, rcv_nxt) = (window_scale.unwrap_or_default(), handshake.irs + 1);
        let numbers = (handshake.iss + 1, rcv_nxt);
        slot.begin(now, &handshake.tuple, numbers, &door.options, (config, beginning));
        (slot.iss, slot.irs) = (handshake.iss, handshake.irs);
        (slot.window_seq, slot.rcv_end) = (rcv_nxt, rcv_nxt + u32::from(handshake.window));
        (slot.window, slot.max_window) = (window << scale, window << scale);
        (slot.send_scale, slot.receive_scale) = (scale, resources.window_scale);
        slot.set_selective(true);
        slot.peer_mss = mss.unwrap_or(config.default_mss).max(config.min_mss);
        slot.stamps = Stamps::begin(now, handshake.stamp_offset, value);
        slot.note_data(now);
        slot.state = State::Established;
        if let Some(keepalive) = slot.keepalive.keepalive() {
            slot.arm(now + keepalive.after);
        }
        match handshake.resent {
            0 => slot.measure_first(now, now.since(handshake.since), config),
            _ => slot.measure_handshake(now, handshake, config),
        }
        // Nothing is left to do in its first turn where the way is known.
        let link = resources.link;
        match link.is_to(slot.tuple.remote) {
            true => slot.learn_path(now, &link, resources),
            false => slot.todo |= todo::OUTPUT,
        }
        let bucket = self.demux.latest_bucket();
        (slot.next, slot.bucket) = (handshake.next, bucket);
        (handshake.tuple, handshake.next) = (Tuple::NONE, handshakes.free);
        handshakes.free = half_open;
        handshakes.count -= 1;
        door.half_open -= 1;
        resources.timers.clear(count + half_open);
        resources.stats.accepted += 1;
        self.point(bucket, Found::HalfOpen(half_open), self.demux.entry(Found::Connection(index)));
        self.enqueue_accepted(index, listener);
        Some(index)
    }
}

impl<P: Profile> Slot<P> {
    /// Takes in the answer to our SYN, if both say what is usual and nothing else. `None` when anything is unusual, and then
    /// nothing was done. What it does is what [`input_syn_sent`](Tcp::input_syn_sent) would do.
    #[inline]
    pub(super) fn input_usual_syn_ack(
        &mut self,
        resources: &mut Resources<'_>,
        now: Instant,
        received: &Received<'_>,
    ) -> Option<Result<(), Discard>> {
        let header = <&[u8; SYN_LEN]>::try_from(received.payload).ok()?;
        let syn = UsualSyn::read(header).filter(|syn| syn.flags == Flags::SYN | Flags::ACK)?;
        let config = &resources.config;
        let usual = P::SELECTIVE
            && P::TIMESTAMPS
            && syn.ack == self.una + 1
            && self.nxt == syn.ack
            && self.syn_len == 0
            && !self.facts.intersects(Facts::FIN_QUEUED | Facts::ASKS_COOKIE)
            && self.facts.contains(Facts::SCALING)
            && config.selective
            && config.timestamps
            && config.probing != Probing::Always
            && !config.asks_for_marks::<P>()
            && !self.is_echo_invented(now, syn.stamps.1);
        if !usual {
            return None;
        }
        if !is_valid(&self.tuple, received, Sum::of_array(header)) {
            return Some(Err(Discard::BadChecksum));
        }
        let rcv_nxt = syn.seq + 1;
        let offered = self.receive_window().min(0xffff);
        (self.irs, self.rcv_nxt, self.acked_to) = (syn.seq, rcv_nxt, rcv_nxt);
        self.rcv_end = rcv_nxt + offered;
        self.tuning = Tuning::begin::<P>(now, rcv_nxt, config);
        self.set_selective(true);
        self.peer_mss = syn.mss.max(config.min_mss);
        (self.send_scale, self.receive_scale) = (syn.shift, resources.window_scale);
        self.stamps = Stamps::begin(now, self.stamps.offset, syn.stamps.0);
        self.window_seq = syn.seq;
        // The window in a SYN is never scaled (RFC 7323 §2.2).
        (self.window, self.max_window) = (syn.window.into(), syn.window.into());
        match self.device_cuts() {
            // What the device takes at once is asked for again.
            true => self.mss = 0,
            false => self.set_path(self.path.takes),
        }
        match self.syns {
            1 => {
                (self.una, self.nxt, self.recovery.recover) = (syn.ack, syn.ack, syn.ack);
                self.measure_first(now, now.since(self.stuck_since), config);
            }
            _ => self.confirm_syn(now, syn.ack, config.min_rto),
        }
        self.set_syn_data(false);
        self.asked = 0;
        self.establish(resources, now);
        match self.is_about_to_write() {
            true => self.acknowledge_soon(resources, now),
            false => self.acknowledge(),
        }
        resources.stats.opened += 1;
        Some(Ok(()))
    }

    /// The handshake took so long: nothing was measured before.
    #[inline(always)]
    fn measure_first(&mut self, now: Instant, rtt: Duration, config: &Config) {
        self.round_trip = RoundTrip::measured(rtt, config.min_rto);
        self.recovery.reordering.on_rtt(now, rtt);
    }
}

/// Whether the checksum of a segment with this `sum` is right, or the device found it so.
#[inline(always)]
pub(super) fn is_valid(tuple: &Tuple, received: &Received<'_>, sum: Sum) -> bool {
    received.checksum != ReceivedChecksum::Unchecked
        || tuple.pseudo_header().add_u64(received.payload.len() as u64).add_sum(sum).is_valid()
}
