//! Handshakes under way through listeners: small records without buffers, so that a flood of SYNs costs little.

use managed::ManagedSlice;
use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use crate::demux::{Found, Tuple};
use crate::identifier::NONE;
use crate::marks::field;
use crate::options::SynOptions;
use crate::replies::Reply;
use crate::stamps::Stamps;
use crate::wire::Flags;
use crate::{Config, ListenerId, Profile, Tcp};

/// Room for one handshake under way: less than 100 bytes.
#[derive(Clone, Debug)]
pub struct HalfOpenSlot {
    pub(crate) tuple: Tuple,
    /// The entry behind this one in its chain of the hash table, or the free slot behind this one.
    pub(crate) next: u32,
    pub(crate) listener: ListenerId,
    /// The number of our SYN.
    pub(crate) iss: SequenceNumber,
    /// The number of the peer's SYN.
    pub(crate) irs: SequenceNumber,
    pub(crate) peer: SynOptions,
    /// What our timestamps are apart from our clock, if they go with it.
    pub(crate) stamp_offset: u32,
    /// The window that our SYN-ACK offers.
    pub(crate) window: u16,
    /// Our SYN-ACK carries a cookie for data with the next SYN, by the number of the experiment or not.
    pub(crate) granted: Option<bool>,
    /// How often our SYN-ACK was sent again.
    pub(crate) resent: u8,
    /// When the first SYN-ACK was sent.
    pub(crate) since: Instant,
}

impl Default for HalfOpenSlot {
    #[inline(never)]
    fn default() -> Self {
        Self {
            tuple: Tuple::NONE,
            next: NONE,
            listener: ListenerId { index: NONE, generation: 0 },
            iss: SequenceNumber(0),
            irs: SequenceNumber(0),
            peer: SynOptions::default(),
            stamp_offset: 0,
            window: 0,
            granted: None,
            resent: 0,
            since: Instant::ZERO,
        }
    }
}

impl HalfOpenSlot {
    /// The timestamps of the connection it may become.
    pub(crate) fn stamps<P: Profile>(&self, config: &Config) -> Stamps {
        config.begin_stamps::<P>(self.since, self.stamp_offset, &self.peer)
    }

    /// The timestamps of the peer's SYN, if it said what is usual, so that our answer says the same and nothing else.
    #[inline(always)]
    pub(crate) fn usual_stamps<P: Profile>(&self, config: &Config) -> Option<(u32, u32)> {
        let SynOptions { window_scale, sack_permitted, timestamps, marks, accurate, .. } = self.peer;
        let usual = P::SELECTIVE
            && P::TIMESTAMPS
            && config.selective
            && config.timestamps
            && window_scale.is_some()
            && sack_permitted
            && !marks
            && accurate.is_none()
            && self.granted.is_none()
            && self.tuple.remote_port != 0;
        timestamps.filter(|_| usual)
    }
}

/// The handshakes under way.
pub(crate) struct HalfOpen<'s> {
    pub(crate) slots: ManagedSlice<'s, HalfOpenSlot>,
    /// The first free slot.
    pub(crate) free: u32,
    pub(crate) count: u32,
    /// When a SYN last found no slot: cookies are believed for a while after that.
    pub(crate) overflowed_at: Option<Instant>,
}

impl<'s> HalfOpen<'s> {
    pub(crate) fn new(mut slots: ManagedSlice<'s, HalfOpenSlot>) -> Self {
        let len = slots.len() as u32;
        for (slot, next) in slots.iter_mut().zip(1..) {
            (slot.tuple, slot.next) = (Tuple::NONE, if next < len { next } else { NONE });
        }
        Self { slots, free: if len == 0 { NONE } else { 0 }, count: 0, overflowed_at: None }
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// Takes a handshake up; `false` when there is no room.
    pub(crate) fn begin_handshake(&mut self, now: Instant, handshake: &HalfOpenSlot) -> bool {
        let index = self.half_open.free;
        let Some(slot) = self.half_open.slots.get_mut(index as usize) else { return false };
        // Behind one listener there may be no more than may wait to be accepted, so that others have room.
        let door = self.listeners.get_mut(handshake.listener.index as usize).filter(|door| !door.is_flooded());
        let Some(door) = door else { return false };
        door.half_open += 1;
        if P::PEERS && self.resources.config.per_peer > 0 {
            self.peers.enter(handshake.tuple.remote);
        }
        self.half_open.free = slot.next;
        self.half_open.count += 1;
        slot.clone_from(handshake);
        self.link_latest(Found::HalfOpen(index));
        self.replies.push_syn_ack(index, handshake.iss);
        let timer = self.half_open_timer(index);
        self.resources.timers.set(timer, now + self.resources.config.initial_rto);
        true
    }

    /// Forgets a handshake.
    pub(crate) fn end_handshake(&mut self, index: u32) {
        self.unlink(Found::HalfOpen(index));
        self.forget_handshake(index);
    }

    /// The same for one that nobody can find any more.
    pub(crate) fn forget_handshake(&mut self, index: u32) {
        let timer = self.half_open_timer(index);
        self.resources.timers.clear(timer);
        if let Some(slot) = self.half_open.slots.get_mut(index as usize) {
            if P::PEERS && self.resources.config.per_peer > 0 {
                self.peers.leave(slot.tuple.remote);
            }
            let door = self.listeners.get_mut(slot.listener.index as usize);
            if let Some(door) = door.filter(|door| door.is(slot.listener)) {
                door.half_open -= 1;
            }
            // Nothing else of it is looked at before it is taken again.
            (slot.tuple, slot.next) = (Tuple::NONE, self.half_open.free);
            self.half_open.free = index;
            self.half_open.count -= 1;
        }
    }

    /// Our SYN-ACK, whatever it says; `None` when there is no handshake with this number there any more.
    #[inline(never)]
    pub(crate) fn syn_ack(&self, index: u32, iss: SequenceNumber) -> Option<Reply> {
        let slot = self.half_open.slots.get(index as usize);
        let slot = slot.filter(|slot| slot.tuple != Tuple::NONE && slot.iss == iss)?;
        let config = &self.resources.config;
        let scale = slot.peer.window_scale.map(|_| config.window_scale());
        let (mut flags, accurate) = match config.accurate_answer::<P>(slot.peer.accurate) {
            Some(bits) => field(bits),
            None => (Flags::empty(), false),
        };
        if flags.is_empty() && !accurate {
            flags.set(Flags::ECE, slot.peer.marks && config.accepts_marks::<P>());
        }
        flags |= Flags::SYN | Flags::ACK;
        Some(Reply {
            tuple: slot.tuple,
            seq: slot.iss,
            ack: slot.irs + 1,
            flags,
            accurate,
            // §3.2.3.2.2: something on the way may not like it.
            marked: config.accurate_answer::<P>(slot.peer.accurate).is_some() && slot.resent == 0,
            window: slot.window,
            window_scale: scale,
            selective: P::SELECTIVE && config.selective && slot.peer.sack_permitted,
            stamps: slot.stamps::<P>(config).told::<P>(),
            cookie: slot.granted.filter(|_| P::FAST_OPEN).and_then(|experimental| {
                let fast_open = self.listeners.get(slot.listener.index as usize)?.fast_open?;
                Some(fast_open.cookie(&slot.tuple, experimental))
            }),
            told: None,
        })
    }

    /// The timer of a handshake went off: sends the SYN-ACK again or gives up.
    pub(crate) fn on_handshake_timer(&mut self, now: Instant, index: u32) {
        let config = self.resources.config;
        let Some(slot) = self.half_open.slots.get_mut(index as usize) else { return };
        if slot.tuple == Tuple::NONE {
            return;
        }
        if slot.resent >= config.syn_ack_retries {
            return self.end_handshake(index);
        }
        slot.resent += 1;
        let pause = config.initial_rto.saturating_mul(1 << slot.resent.min(16)).min(config.max_rto);
        self.replies.push_syn_ack(index, slot.iss);
        let timer = self.half_open_timer(index);
        self.resources.timers.set(timer, now + pause);
    }

    /// The number of a handshake's timer: behind those of the connections.
    fn half_open_timer(&self, index: u32) -> u32 {
        self.connections.len() as u32 + index
    }
}
