//! Who has which hardware address (RFC 826).

use core::net::Ipv4Addr;

use managed::ManagedSlice;
use mirage_clock::{Duration, Instant};

/// What is known of one neighbour.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour {
    address: Ipv4Addr,
    mac: [u8; 6],
    /// When it last said so itself; [`NEVER`] when it has not answered yet.
    heard: Instant,
    /// When it was last asked.
    asked: Instant,
    /// When something was last sent to it.
    used: Instant,
}

const NEVER: Instant = Instant::MAX;

impl Neighbour {
    /// One that nobody uses.
    pub const EMPTY: Self = {
        let past = Instant::ZERO;
        Self { address: Ipv4Addr::UNSPECIFIED, mac: [0; 6], heard: NEVER, asked: past, used: past }
    };
}

impl Default for Neighbour {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// After so long a neighbour is asked again, after three times as long what it said is forgotten
/// (RFC 1122 §2.3.2.1: "on the order of a minute").
const FRESH: Duration = Duration::from_secs(30);
const USABLE: Duration = Duration::from_secs(90);
/// No more than one question to the same neighbour in this time (RFC 1122 §2.3.2.1).
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of a neighbour that something shall be sent to.
pub(crate) struct Known {
    pub(crate) mac: Option<[u8; 6]>,
    /// Whether it is to be asked now.
    pub(crate) ask: bool,
}

/// The table.
pub(crate) struct Neighbours<'s>(pub(crate) ManagedSlice<'s, Neighbour>);

impl Neighbours<'_> {
    /// Where frames to `address` go.
    pub(crate) fn find(&mut self, now: Instant, address: Ipv4Addr) -> Known {
        let Some(entry) = self.entry(address, true) else { return Known { mac: None, ask: false } };
        entry.used = now;
        let age = if entry.heard == NEVER { Duration::MAX } else { now.since(entry.heard) };
        let ask = age >= FRESH && (entry.asked == Instant::ZERO || now.since(entry.asked) >= PATIENCE);
        if ask {
            entry.asked = now.max(Instant::from_nanos(1));
        }
        Known { mac: (age < USABLE).then_some(entry.mac), ask }
    }

    /// `address` says that it has `mac`: in an answer if `answer`, which counts only when it was asked, else in a question to
    /// us. Whether that was taken.
    pub(crate) fn learn(&mut self, now: Instant, address: Ipv4Addr, mac: [u8; 6], answer: bool) -> bool {
        let Some(entry) = self.entry(address, !answer) else { return false };
        // A second answer must not displace the first.
        let asked = entry.asked != Instant::ZERO && (entry.heard == NEVER || entry.heard < entry.asked);
        if answer && !asked {
            return false;
        }
        (entry.mac, entry.heard) = (mac, now);
        true
    }

    /// The entry of `address`; if there is none and `make`, the least recently used becomes it, one that has not answered
    /// before one that has.
    fn entry(&mut self, address: Ipv4Addr, make: bool) -> Option<&mut Neighbour> {
        // One that has never answered is no loss.
        let (mut place, mut oldest) = (None, (true, NEVER));
        for (index, entry) in self.0.iter().enumerate() {
            if entry.address == address {
                return self.0.get_mut(index);
            }
            let age = (entry.heard != NEVER, entry.used);
            if age < oldest {
                (place, oldest) = (Some(index), age);
            }
        }
        let entry = self.0.get_mut(place.filter(|_| make)?)?;
        *entry = Neighbour { address, ..Neighbour::EMPTY };
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 9];

    fn at(seconds: u64) -> Instant {
        Instant::from_secs(seconds)
    }

    #[test]
    fn an_answer_counts_once_and_only_when_asked() {
        let mut table = [Neighbour::default(); 2];
        let mut neighbours = Neighbours((&mut table[..]).into());
        assert!(!neighbours.learn(at(0), A, MAC, true));
        let known = neighbours.find(at(1), A);
        assert!(known.ask && known.mac.is_none());
        assert!(!neighbours.find(at(1), A).ask, "asked twice in a second");
        assert!(neighbours.learn(at(2), A, MAC, true));
        assert!(!neighbours.learn(at(2), A, OTHER, true), "a second answer");
        assert_eq!(neighbours.find(at(2), A).mac, Some(MAC));
    }

    #[test]
    fn what_is_known_is_asked_again_and_forgotten() {
        let mut table = [Neighbour::default(); 2];
        let mut neighbours = Neighbours((&mut table[..]).into());
        assert!(neighbours.learn(at(0), A, MAC, false));
        let known = neighbours.find(at(29), A);
        assert_eq!((known.mac, known.ask), (Some(MAC), false));
        let known = neighbours.find(at(31), A);
        assert_eq!((known.mac, known.ask), (Some(MAC), true));
        let known = neighbours.find(at(91), A);
        assert_eq!((known.mac, known.ask), (None, true));
    }

    #[test]
    fn the_least_recently_used_makes_room() {
        let mut table = [Neighbour::default(); 2];
        let mut neighbours = Neighbours((&mut table[..]).into());
        assert!(neighbours.learn(at(1), A, MAC, false));
        neighbours.find(at(1), A);
        for stranger in 2..100 {
            neighbours.learn(at(2), Ipv4Addr::new(10, 0, 0, stranger), OTHER, false);
        }
        assert_eq!(neighbours.find(at(3), A).mac, Some(MAC), "strangers displaced a neighbour that is used");
    }
}
