//! Packets under way in one direction.

use alloc::collections::BTreeMap;

use mirage_clock::Instant;
use mirage_protocols::Ecn;
use mirage_protocols::testing::SentPacket;

use super::case;
use super::random::Random;

pub struct Path<'c> {
    case: &'c case::Path,
    random: Random,
    start: Instant,
    /// By arrival, and by number among those that arrive together.
    packets: BTreeMap<(Instant, u64), SentPacket>,
    count: u64,
}

/// What became of a packet.
pub enum Fate {
    OnItsWay,
    /// Longer than the path takes; a router says so.
    TooLong(SentPacket),
}

impl<'c> Path<'c> {
    pub fn new(case: &'c case::Path, seed: u64, start: Instant) -> Self {
        Self { case, random: Random(seed), start, packets: BTreeMap::new(), count: 0 }
    }

    /// Nothing is lost or late from now on, and everything passes.
    pub fn repair(&mut self, good: &'c case::Path) {
        self.case = good;
    }

    pub fn send(&mut self, now: Instant, packet: SentPacket) -> Fate {
        let case = self.case;
        let random = &mut self.random;
        let (from, span) = case.outage;
        let out = now >= self.start + from && now < self.start + from + span;
        if out || random.happens(case.lost) || self.packets.len() >= case.queue {
            return Fate::OnItsWay;
        }
        let longest = packet.packet.segment_size.map_or(packet.bytes.len(), |size| usize::from(size.get()) + 20);
        if longest + 20 > case.mtu {
            return if case.silent { Fate::OnItsWay } else { Fate::TooLong(packet) };
        }
        for _ in 0..if random.happens(case.doubled) { 2 } else { 1 } {
            let mut packet = packet.clone();
            let mut at = now + case.delay;
            if random.happens(case.late) {
                at += case.lateness * random.below(1000) / 1000;
            }
            if packet.packet.ecn != Ecn::NotCapable && random.happens(case.marked) {
                packet.packet.ecn = Ecn::Congested;
            }
            if random.happens(case.damaged) {
                if packet.packet.checksum.is_some() {
                    // A device that completes checksums verifies them, too, and throws away what was damaged.
                    continue;
                }
                // One byte: the checksum finds that in every case.
                let place = random.below(packet.bytes.len() as u64) as usize;
                packet.bytes[place] ^= 1 + random.below(255) as u8;
            }
            self.count += 1;
            self.packets.insert((at, self.count), packet);
        }
        Fate::OnItsWay
    }

    pub fn next(&self) -> Option<Instant> {
        self.packets.keys().next().map(|(at, _)| *at)
    }

    pub fn receive(&mut self, now: Instant) -> Option<SentPacket> {
        let entry = self.packets.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}
