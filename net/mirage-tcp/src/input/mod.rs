//! Segments on their way in.

mod acknowledgement;
mod again;
mod bare;
mod data;
mod fast;
mod fast_open;
mod half_open;
mod listener;
mod opening;
mod short;
mod syn_sent;
mod synchronized;
mod time_wait;

use core::net::IpAddr;

use mirage_clock::{Duration, Instant};
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, Received};

pub(crate) use self::again::Again;
use crate::connection::Slot;
use crate::demux::{Found, Tuple};
use crate::open::may_be_peer;
use crate::replies::Reply;
use crate::resources::Resources;
use crate::wire::{Flags, STAMPED_LEN, SYN_LEN, Segment, pseudo_v4};
use crate::{Discard, Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// Takes a segment in. It never sends: answers wait for [`poll_transmit`](Self::poll_transmit).
    ///
    /// # Errors
    /// Why the segment, or part of it, was dropped. It is counted; nothing has to be done.
    #[inline(always)]
    pub fn input(&mut self, now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        match received.payload.len() {
            len if !P::STRAIGHT || len >= short::END => self.input_any(now, received),
            STAMPED_LEN if P::SELECTIVE => self.input_bare(now, received),
            SYN_LEN => self.input_opening(now, received),
            // And what is shorter still, which hardly anybody sends.
            _ => self.input_short(now, received),
        }
    }

    /// A segment of any length.
    // By itself, so that the compiler has registers for it.
    #[inline(never)]
    fn input_any(&mut self, now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        if P::STRAIGHT {
            if self.comes_again(received)
                && let Some(result) = self.input_again_elsewhere(now, received.payload)
            {
                return result;
            }
            self.resources.again.len = 0;
        }
        self.resources.stats.segments_in += 1;
        let result = self.route(now, received);
        if let Err(reason) = result {
            self.discards.count(reason);
        }
        result
    }

    #[inline]
    fn route(&mut self, now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        let mut checked = received.checksum != ReceivedChecksum::Unchecked;
        let known = P::STRAIGHT
            && received.cast == Cast::Unicast
            && self.connections.get(self.last as usize).is_some_and(|slot| slot.tuple.is_of(received));
        if !known {
            let Some(was_checked) = self.find_connection(now, received)? else { return Ok(()) };
            checked = was_checked;
        }
        let index = self.last;
        // The checksum of what is expected next is verified while it is copied.
        if P::STRAIGHT
            && let Some(slot) = self.connections.get_mut(index as usize)
            && let Some(result) = slot.input_fast(&mut self.resources, now, received, checked)
        {
            if slot.state == State::TimeWait {
                self.enter_time_wait(now, index);
            }
            self.settle_here(index);
            return result;
        }
        self.input_connection(now, index, received, checked)
    }

    /// Finds the connection that a segment is for, which is then the last, and says whether the checksum of the segment was
    /// looked at. What is not for a connection is dealt with here.
    #[inline(never)]
    fn find_connection(&mut self, now: Instant, received: &Received<'_>) -> Result<Option<bool>, Discard> {
        if P::STRAIGHT
            && let Some(found) = self.find_straight(now, received)
        {
            return found;
        }
        self.find_connection_slowly(now, received)
    }

    /// The same for what is usual; `None` for anything else, and then nothing was done.
    #[inline]
    fn find_straight(&mut self, now: Instant, received: &Received<'_>) -> Option<Result<Option<bool>, Discard>> {
        let start = received.payload.first_chunk().map_or(0, |start| u32::from_be_bytes(*start));
        let (remote_port, local_port) = ((start >> 16) as u16, start as u16);
        let (local, remote) = (received.destination, received.source);
        let tuple = Tuple { local, remote, local_port, remote_port };
        if received.cast != Cast::Unicast || local_port == 0 || remote_port == 0 || local == remote {
            return None;
        }
        if !may_be_peer(remote) {
            return None;
        }
        match self.find_here(&tuple) {
            // What is expected next is verified while it is copied.
            Some(Found::Connection(index)) => {
                self.last = index;
                Some(Ok(Some(received.checksum != ReceivedChecksum::Unchecked)))
            }
            Some(Found::HalfOpen(index)) => Some(self.input_usual_confirmation(now, index, received)?.map(|()| None)),
            Some(_) => None,
            None => Some(self.input_usual_syn(now, &tuple, received)?.map(|()| None)),
        }
    }

    #[inline(never)]
    fn find_connection_slowly(&mut self, now: Instant, received: &Received<'_>) -> Result<Option<bool>, Discard> {
        let segment = read::<P>(received)?;
        if !segment.is_intact::<P>(received) {
            return Err(Discard::BadChecksum);
        }
        let found = self.find_for(now, received.cast, &Tuple::of(received, &segment), &segment)?;
        self.last = found.unwrap_or(self.last);
        Ok(found.map(|_| true))
    }

    /// A segment for a connection, whatever it is.
    #[inline(never)]
    fn input_connection(
        &mut self,
        now: Instant,
        index: u32,
        received: &Received<'_>,
        checked: bool,
    ) -> Result<(), Discard> {
        let segment = read::<P>(received)?;
        if !checked && !segment.is_intact::<P>(received) {
            return Err(Discard::BadChecksum);
        }
        let Some(slot) = self.connections.get(index as usize) else { return Ok(()) };
        let result = match slot.state {
            State::SynSent if P::OPENS => self.input_syn_sent(now, index, &segment),
            _ => self.input_synchronized(now, index, &segment, full_size(received, segment.payload.len())),
        };
        self.settle(index);
        result
    }

    /// Finds whom a segment is for. What is not for a connection is dealt with here.
    fn find_for(
        &mut self,
        now: Instant,
        cast: Cast,
        tuple: &Tuple,
        segment: &Segment<'_>,
    ) -> Result<Option<u32>, Discard> {
        // RFC 9293 §3.9.2.3: a SYN to a broadcast or multicast address is discarded, and one from such an address too.
        if cast != Cast::Unicast {
            return Err(Discard::NotUnicast);
        }
        if !may_be_peer(tuple.remote) || (tuple.remote == tuple.local && tuple.remote_port == tuple.local_port) {
            return Err(Discard::BadSource);
        }
        match self.find(tuple) {
            Some(Found::Connection(index)) => Ok(Some(index)),
            Some(Found::HalfOpen(index)) => self.input_half_open(now, index, segment),
            Some(Found::TimeWait(index)) => self.input_time_wait(now, index, segment).map(|()| None),
            Some(Found::Listener(_)) | None => self.input_unknown(now, tuple, segment),
        }
    }

    /// A segment for nobody: for a listener, or answered with a reset.
    #[inline(never)]
    fn input_unknown(&mut self, now: Instant, tuple: &Tuple, segment: &Segment<'_>) -> Result<Option<u32>, Discard> {
        match self.find_listener(tuple.local, tuple.local_port) {
            Some(listener) => self.input_listener(now, listener, tuple, segment),
            None => {
                self.refuse(now, *tuple, segment);
                Err(Discard::NoListener)
            }
        }
    }

    /// Queues the reset that answers a segment for no connection, within the limit.
    fn refuse(&mut self, now: Instant, tuple: Tuple, segment: &Segment<'_>) {
        let Some(reply) = Reply::reset(tuple, segment) else { return };
        if self.resets.allow(now) {
            self.replies.push(reply);
        } else {
            self.resources.stats.replies_dropped += 1;
        }
    }
}

impl Tuple {
    /// Whom a segment is between.
    fn of(received: &Received<'_>, segment: &Segment<'_>) -> Self {
        Self {
            local: received.destination,
            remote: received.source,
            local_port: segment.destination_port,
            remote_port: segment.source_port,
        }
    }

    /// Whether a segment is between these two. Nothing is put together for that: it is asked of every segment.
    #[inline(always)]
    fn is_of(&self, received: &Received<'_>) -> bool {
        let ports = u32::from(self.remote_port) << 16 | u32::from(self.local_port);
        received.payload.first_chunk().is_some_and(|start| u32::from_be_bytes(*start) == ports)
            && self.local == received.destination
            && self.remote == received.source
    }

    /// [`pseudo_v4`] of its pseudo-header, if it is, and by IPv4.
    #[inline(always)]
    fn sum_if_of(&self, received: &Received<'_>) -> Option<u64> {
        let (IpAddr::V4(local), IpAddr::V4(remote)) = (self.local, self.remote) else { return None };
        let (IpAddr::V4(destination), IpAddr::V4(source)) = (received.destination, received.source) else {
            return None;
        };
        let ports = u32::from(self.remote_port) << 16 | u32::from(self.local_port);
        let is_of = received.payload.first_chunk().is_some_and(|start| u32::from_be_bytes(*start) == ports)
            && local == destination
            && remote == source;
        is_of.then(|| pseudo_v4(local, remote))
    }
}

/// The payload of the full segments that a segment with `len` bytes of payload stands for.
#[inline]
fn full_size(received: &Received<'_>, len: usize) -> u16 {
    match received.segment_size {
        // What a merged segment was cut from counts, not its own length.
        Some(size) => size.get(),
        None => len.min(0xffff) as u16,
    }
}

impl<P: Profile> Slot<P> {
    /// The peer was heard.
    fn hear(&mut self, now: Instant) {
        self.heard_at = now;
        self.asked = 0;
    }

    /// Sends a challenge acknowledgement (RFC 5961 §3.2), unless there were too many; says whether.
    #[inline(never)]
    fn challenge(&mut self, resources: &mut Resources<'_>, now: Instant) -> bool {
        let allowed = resources.challenges.allow_for(now, CHALLENGE_INTERVAL, &mut self.challenge);
        if allowed {
            self.acknowledge();
        } else {
            resources.stats.replies_dropped += 1;
        }
        allowed
    }
}

/// Reads a segment that takes no short cut.
fn read<'r, P: Profile>(received: &Received<'r>) -> Result<Segment<'r>, Discard> {
    match P::STRAIGHT {
        true => Segment::read(received),
        false => Segment::read_elsewhere(received),
    }
}

/// What may not come together: a SYN with a FIN or a reset belongs to no state.
fn has_bad_flags(flags: Flags) -> bool {
    flags.contains(Flags::SYN) && flags.intersects(Flags::FIN | Flags::RST)
}

/// How long a connection waits between challenges, as Linux.
const CHALLENGE_INTERVAL: Duration = Duration::from_millis(500);
