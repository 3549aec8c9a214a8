//! A learning switch (IEEE 802.1D §7.8): which station is behind which port.

use alloc::collections::BTreeMap;

use mirage_clock::{Duration, Instant};
use mirage_net::MacAddress;

use crate::cable::LINK_HEADER;

/// What the switch did with the frames that reached it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwitchCounts {
    /// Sent to the one port where their destination is.
    pub forwarded: u64,
    /// Sent to every other port: broadcast, multicast or a destination that nobody knows.
    pub flooded: u64,
    /// Not sent on, because their destination is behind the port they came from.
    pub filtered: u64,
    /// Shorter than a link header.
    pub runt: u64,
    /// Sources that were not learned because the table was full.
    pub table_full: u64,
}

/// Where a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Forward(usize),
    Flood,
    Drop,
}

pub(super) struct Switch {
    stations: BTreeMap<MacAddress, (usize, Instant)>,
    /// Invariant: `stations` has at most so many entries.
    limit: usize,
    ageing: Duration,
    pub(super) counts: SwitchCounts,
}

impl Switch {
    pub(super) fn new(limit: usize, ageing: Duration) -> Self {
        Self { stations: BTreeMap::new(), limit, ageing, counts: SwitchCounts::default() }
    }

    /// Learns who sent `frame` and decides where it goes.
    pub(super) fn decide(&mut self, now: Instant, port: usize, frame: &[u8]) -> Verdict {
        let ([destination, source, ..], true) = (frame.as_chunks::<6>().0, frame.len() >= LINK_HEADER) else {
            self.counts.runt += 1;
            return Verdict::Drop;
        };
        self.learn(now, port, MacAddress(*source));
        let known = self.stations.get(&MacAddress(*destination));
        match known.filter(|(_, seen)| now.since(*seen) <= self.ageing) {
            Some((there, _)) if *there == port => {
                self.counts.filtered += 1;
                Verdict::Drop
            }
            Some((there, _)) => {
                self.counts.forwarded += 1;
                Verdict::Forward(*there)
            }
            None => {
                self.counts.flooded += 1;
                Verdict::Flood
            }
        }
    }

    /// Forgets everybody behind `port`, whose link went down.
    pub(super) fn forget(&mut self, port: usize) {
        self.stations.retain(|_, (there, _)| *there != port);
    }

    fn learn(&mut self, now: Instant, port: usize, source: MacAddress) {
        if !source.is_unicast() {
            return;
        }
        if self.stations.len() >= self.limit && !self.stations.contains_key(&source) {
            let ageing = self.ageing;
            self.stations.retain(|_, (_, seen)| now.since(*seen) <= ageing);
            if self.stations.len() >= self.limit {
                self.counts.table_full += 1;
                return;
            }
        }
        self.stations.insert(source, (port, now));
    }
}
