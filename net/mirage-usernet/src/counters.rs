//! What passes through the gateway and what did not.

use core::cell::Cell;

/// What passes through the gateway now, and what it did and refused so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// TCP connections now, those that wait for their other half among them.
    pub connections: usize,
    /// UDP conversations now, in both directions.
    pub conversations: usize,
    /// TCP connections that got their other half.
    pub joined: u64,
    /// TCP connections whose other half could not be had: refused, unreachable or silent.
    pub unjoined: u64,
    /// TCP connections refused because there were as many as there may be.
    pub refused: u64,
    /// Connections and datagrams of the guest to where nothing is let out.
    pub forbidden: u64,
    /// UDP conversations begun.
    pub begun: u64,
    /// UDP conversations forgotten early because another needed their place.
    pub evicted: u64,
    /// Datagrams that a socket would not take, or for which there was no socket.
    pub dropped: u64,
}

/// Where the gateway counts.
#[derive(Default)]
pub(crate) struct Tally(Cell<Counters>);

impl Tally {
    pub(crate) fn counters(&self) -> Counters {
        self.0.get()
    }

    pub(crate) fn edit(&self, edit: impl FnOnce(&mut Counters)) {
        let mut counters = self.0.get();
        edit(&mut counters);
        self.0.set(counters);
    }

    /// A connection's place among at most `limit`.
    pub(crate) fn connection(&self, limit: usize) -> Option<Place<'_>> {
        if self.counters().connections >= limit {
            self.edit(|counters| counters.refused += 1);
            return None;
        }
        Some(Place::take(self, |counters| &mut counters.connections))
    }

    /// A conversation's place. Their table is what bounds them.
    pub(crate) fn conversation(&self) -> Place<'_> {
        self.edit(|counters| counters.begun += 1);
        Place::take(self, |counters| &mut counters.conversations)
    }
}

/// Counts as one for as long as it lives.
pub(crate) struct Place<'a> {
    tally: &'a Tally,
    which: fn(&mut Counters) -> &mut usize,
}

impl<'a> Place<'a> {
    fn take(tally: &'a Tally, which: fn(&mut Counters) -> &mut usize) -> Self {
        tally.edit(|counters| *which(counters) += 1);
        Self { tally, which }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.tally.edit(|counters| *(self.which)(counters) -= 1);
    }
}
