//! Buffers that grow with need and shrink again: how much a peer may send before it is read (dynamic right-sizing, Fisk and Feng
//! 2001), and how much an application may write before it is acknowledged.

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use mirage_congestion::Congestion as _;

use crate::connection::Slot;
use crate::resources::Resources;
use crate::{Config, Profile};

/// How much of the peer's data a connection holds at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    /// In bytes, unread or behind holes.
    pub(crate) limit: u32,
    /// When half of the limit has come, counted from `since`, it is looked at again.
    next: SequenceNumber,
    /// Microseconds, modulo 2³².
    since: u32,
}

impl Tuning {
    pub(crate) const NONE: Self = Self { limit: 0, next: SequenceNumber(0), since: 0 };

    /// A connection whose next expected number is `rcv_nxt`.
    pub(crate) fn begin<P: Profile>(now: Instant, rcv_nxt: SequenceNumber, config: &Config) -> Self {
        let limit = if P::TUNING { config.receive_window.min(FIRST_RECEIVE) } else { config.receive_window };
        Self { limit, next: rcv_nxt + limit / 2, since: now.as_micros() as u32 }
    }

    /// Whether so much has come that the limit is to be looked at.
    #[inline]
    pub(crate) fn is_due(&self, rcv_nxt: SequenceNumber) -> bool {
        rcv_nxt.at_or_after(self.next)
    }
}

impl<P: Profile> Slot<P> {
    /// Half of what the limit allows has come. A round trip in which so much comes and is read wants twice as much: the peer's
    /// window doubles each round trip while it starts. One that comes far slower needs less.
    #[inline(never)]
    pub(crate) fn tune(&mut self, now: Instant, resources: &Resources<'_>) {
        let Tuning { limit, since, .. } = self.tuning;
        let micros = now.as_micros() as u32;
        let passed = u64::from(micros.wrapping_sub(since));
        // A pure receiver measures round trips only while it connects: queues may have made them longer since.
        let round = self.round_trip.srtt().unwrap_or_default().saturating_mul(2).max(SHORTEST_ROUND).as_micros();
        let is_read = self.receive.readable() <= limit / 2;
        let limit = match is_read {
            true if passed <= round => limit.saturating_mul(2),
            true if passed > 16 * round => limit / 2,
            _ => limit,
        };
        let limit = limit.max(FIRST_RECEIVE).min(resources.config.receive_window);
        self.tuning = Tuning { limit, next: self.rcv_nxt + (limit / 2).max(1), since: micros };
    }

    /// A writer found no room: it gets more if the network takes more. Twice the congestion window lets one half be written while
    /// the other is under way.
    #[inline(never)]
    pub(crate) fn grow_send_limit(&mut self, config: &Config) -> bool {
        let most = self.send_most(config);
        core::mem::replace(&mut self.send_limit, most) < most
    }

    /// How many bytes may be written and not yet acknowledged, if a writer needs it.
    pub(crate) fn send_most(&self, config: &Config) -> u32 {
        self.congestion.window().saturating_mul(2).min(config.send_buffer).max(self.send_limit)
    }

    /// Nothing was sent for a while: what is written next needs no more room than a new connection's.
    pub(crate) fn shrink_send_limit(&mut self, config: &Config) {
        self.send_limit = self.send_limit.min(config.first_send_limit::<P>().max(self.congestion.window()));
    }
}

impl Config {
    /// How many bytes a new connection may write before anything is acknowledged.
    pub(crate) fn first_send_limit<P: Profile>(&self) -> u32 {
        if P::TUNING { self.send_buffer.min(FIRST_SEND) } else { self.send_buffer }
    }
}

/// What a peer may send at first, and what a slow one may always.
const FIRST_RECEIVE: u32 = 64 * 1024;
/// What may be written at first.
const FIRST_SEND: u32 = 256 * 1024;
/// On links with shorter round trips, more than one are watched at once.
const SHORTEST_ROUND: Duration = Duration::from_millis(10);
