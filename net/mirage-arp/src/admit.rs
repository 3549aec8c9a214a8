//! Who gives way to a new neighbour.

use core::net::Ipv4Addr;

use mirage_clock::Instant;

use crate::arp::Arp;
use crate::entry::State;

impl Arp<'_> {
    /// Takes a place for a new target that has to be asked for, if need be from another. `None` when all were set
    /// by hand.
    pub(crate) fn admit(&mut self, now: Instant, ip: Ipv4Addr) -> Option<u16> {
        let unresolved = self.cache.count(State::Due) + self.cache.count(State::Waiting);
        if unresolved >= self.config.max_unresolved.max(1) {
            self.evict_unresolved();
        }
        if self.cache.front(State::Free).is_none() {
            // A scan that fills the table with its targets evicts those, not the neighbours that are being talked
            // to.
            let idle = self.cache.front(State::Resolved).filter(|&index| {
                self.cache.get(index).is_some_and(|entry| entry.used + self.config.active <= now || entry.until <= now)
            });
            if let Some(index) = self.cache.front(State::Failed).or(idle) {
                self.cache.remove(index);
            } else if !self.evict_unresolved() {
                self.evict_any();
            }
        }
        self.cache.insert(ip, State::Due)
    }

    /// Fails the target that was asked longest ago; whether there was one.
    fn evict_unresolved(&mut self) -> bool {
        let oldest = self.cache.front(State::Waiting).or_else(|| self.cache.front(State::Due));
        let Some((index, ip)) = oldest.and_then(|index| Some((index, self.cache.get(index)?.ip))) else {
            return false;
        };
        self.cache.remove(index);
        self.report_unresolved(ip);
        true
    }

    /// Makes room by forgetting what is needed least; nothing that was set by hand.
    pub(crate) fn evict_any(&mut self) {
        let index = self.cache.front(State::Failed).or_else(|| self.cache.front(State::Resolved));
        match index {
            Some(index) => self.cache.remove(index),
            None => _ = self.evict_unresolved(),
        }
    }
}
