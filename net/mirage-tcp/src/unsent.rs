//! How much of what was written may wait unsent.

use crate::connection::Slot;
use crate::pool::Pool;
use crate::{ConnectionId, Profile, Tcp};

/// How much may wait unsent, in one byte: a number from 8 to 15 in the lower three bits, and how often that is doubled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnsentLimit(u8);

impl UnsentLimit {
    pub(crate) const NONE: Self = Self(u8::MAX);

    fn new(bytes: u32) -> Self {
        let bytes = bytes.clamp(8, 1 << 30);
        let doubled = bytes.ilog2() - 3;
        Self((doubled << 3 | (bytes >> doubled) & 7) as u8)
    }

    /// In bytes, if there is a limit.
    fn bytes(self) -> Option<u32> {
        (self != Self::NONE).then(|| (8 + u32::from(self.0 & 7)) << (self.0 >> 3))
    }

    #[inline]
    pub(crate) fn is_set(self) -> bool {
        self != Self::NONE
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// Lets writes wait while `limit` bytes or more would stay behind what may be sent at once: what waits unsent is better kept
    /// by an application that may have something more urgent to say when its turn comes. A write then takes what may be
    /// sent at once, and `limit` rounded up to half of the peer's largest window, so that segments stay large. `None`, as
    /// at first: only the send buffer limits. Linux calls this `TCP_NOTSENT_LOWAT`. It is rounded down, by an eighth at most.
    pub fn set_unsent_limit(&mut self, id: ConnectionId, limit: Option<u32>) {
        if let Some((slot, resources)) = self.open(id)
            && P::TUNING
        {
            slot.set_calm(false);
            slot.unsent_limit = limit.map_or(UnsentLimit::NONE, UnsentLimit::new);
            resources.wakers.wake(&mut slot.writers);
        }
    }
}

impl<P: Profile> Slot<P> {
    /// How many bytes the queue may hold for the limit's sake; what it holds already if writes have to wait.
    #[inline]
    pub(crate) fn most_queued(&self, pool: &Pool<'_>) -> u32 {
        match P::TUNING && self.unsent_limit.is_set() {
            true => self.most_queued_with(pool),
            false => u32::MAX,
        }
    }

    #[inline(never)]
    fn most_queued_with(&self, pool: &Pool<'_>) -> u32 {
        let Some(limit) = self.unsent_limit.bytes() else { return u32::MAX };
        let mss = u32::from(self.mss).max(1);
        let in_flight = self.in_flight();
        let room = self.send_window(pool).saturating_sub(self.pipe());
        let usable = self.window.saturating_sub(in_flight).min(room);
        let at_once = in_flight + usable - usable % mss;
        if self.send.len().saturating_sub(at_once) >= limit {
            return self.send.len();
        }
        let half = self.max_window / 2;
        let piece = (half - half % mss).max(mss);
        at_once.saturating_add(limit.next_multiple_of(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_rounded_down_but_never_to_nothing() {
        for (bytes, limit) in [(0, 8), (15, 15), (4000, 3840), (32_768, 32_768), (u32::MAX, 1 << 30)] {
            assert_eq!(UnsentLimit::new(bytes).bytes(), Some(limit));
        }
        assert_eq!(UnsentLimit::NONE.bytes(), None);
    }
}
