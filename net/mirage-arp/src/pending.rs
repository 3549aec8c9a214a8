//! Packets that wait for the hardware address of their target.

use core::net::Ipv4Addr;
use core::num::NonZeroU16;

use managed::ManagedSlice;
use mirage_net::{FrameWriter, MacAddress, PartialChecksum};
use mirage_protocols::{EtherType, HopPacket, LinkPacket};

/// Room for the description of one waiting packet.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    target: Ipv4Addr,
    fate: Fate,
    ethertype: EtherType,
    len: usize,
    checksum: Option<PartialChecksum>,
    segment_size: Option<NonZeroU16>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its target is being asked for.
    Waits,
    /// Its target is this station: it goes out as soon as the device takes it.
    Goes(MacAddress),
    /// Its target does not answer: it is kept until the event that says so is fetched.
    Lost,
}

/// All of them, oldest first, their bytes one after the other from the start of the arena.
///
/// To remove one moves those behind it, at most the whole arena: this is the slow path, taken once for each packet
/// that had to wait.
#[derive(Debug)]
pub(crate) struct PendingPackets<'s> {
    /// Invariant: the first `count` are `Some`, the others are not looked at.
    packets: ManagedSlice<'s, Option<Pending>>,
    count: usize,
    bytes: ManagedSlice<'s, u8>,
    /// Invariant: the sum of the packets' lengths.
    used: usize,
    /// Invariant: how many have the fate `Goes`.
    going: usize,
    /// How many were dropped to make room.
    dropped: u64,
}

impl<'s> PendingPackets<'s> {
    pub(crate) fn new(packets: ManagedSlice<'s, Option<Pending>>, bytes: ManagedSlice<'s, u8>) -> Self {
        Self { packets, count: 0, bytes, used: 0, going: 0, dropped: 0 }
    }

    /// Whether any packet can go out.
    pub(crate) fn any_going(&self) -> bool {
        self.going > 0
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether a packet of `len` bytes fits when all others have gone.
    pub(crate) fn could_hold(&self, len: usize) -> bool {
        len <= self.bytes.len() && !self.packets.is_empty()
    }

    /// Keeps what `fill` writes for `target`. With more than `per_target` of one target its oldest is dropped, and
    /// when there is no room otherwise the oldest of all: the later one came, the likelier its target still
    /// answers.
    ///
    /// `false` when `fill` wrote more than it said, or the packet cannot fit: see [`could_hold`](Self::could_hold).
    pub(crate) fn push(
        &mut self,
        target: Ipv4Addr,
        packet: &HopPacket,
        ethertype: EtherType,
        per_target: usize,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> bool {
        if !self.could_hold(packet.len) || per_target == 0 {
            return false;
        }
        while self.count_of(target) >= per_target
            && let Some(oldest) = self.first_of(target)
        {
            self.drop_at(oldest);
        }
        while self.count == self.packets.len() || self.bytes.len() - self.used < packet.len {
            // What is only kept for a report goes first, then the target's own.
            let victim = self.position(|p| p.fate == Fate::Lost).or_else(|| self.first_of(target)).unwrap_or(0);
            if self.count == 0 {
                return false;
            }
            self.drop_at(victim);
        }
        let Some(space) = self.bytes.get_mut(self.used..self.used + packet.len) else { return false };
        let Some(len) = FrameWriter::fill(space, fill).map(|written| written.len()) else { return false };
        let Some(slot) = self.packets.get_mut(self.count) else { return false };
        let HopPacket { checksum, segment_size, .. } = *packet;
        *slot = Some(Pending { target, fate: Fate::Waits, ethertype, len, checksum, segment_size });
        self.count += 1;
        self.used += len;
        true
    }

    /// The target has the address `mac`: its packets can go.
    pub(crate) fn release(&mut self, target: Ipv4Addr, mac: MacAddress) {
        let mut released = 0;
        for packet in self.packets.iter_mut().take(self.count).flatten() {
            if packet.waits_for(target) {
                packet.fate = Fate::Goes(mac);
                released += 1;
            }
        }
        self.going += released;
    }

    /// The target does not answer: the first of its packets is kept for the report if `keep_one`, the others are
    /// dropped.
    pub(crate) fn lose(&mut self, target: Ipv4Addr, keep_one: bool) {
        if keep_one
            && let Some(first) = self.first_of(target)
            && let Some(Some(packet)) = self.packets.get_mut(first)
        {
            packet.fate = Fate::Lost;
        }
        while let Some(index) = self.first_of(target) {
            self.remove(index);
        }
    }

    /// The bytes of the packet that was kept for the report about `target`.
    pub(crate) fn lost(&self, target: Ipv4Addr) -> Option<(EtherType, &[u8])> {
        let index = self.position(|p| p.fate == Fate::Lost && p.target == target)?;
        let (packet, start) = self.at(index)?;
        Some((packet.ethertype, self.bytes.get(start..start + packet.len)?))
    }

    /// Forgets the packet that was kept for the report about `target`.
    pub(crate) fn forget_lost(&mut self, target: Ipv4Addr) {
        if let Some(index) = self.position(|p| p.fate == Fate::Lost && p.target == target) {
            self.remove(index);
        }
    }

    /// The oldest packet that can go, with its bytes, and where it lies.
    pub(crate) fn first_going(&self) -> Option<(usize, LinkPacket, &[u8])> {
        if !self.any_going() {
            return None;
        }
        let index = self.position(|p| matches!(p.fate, Fate::Goes(_)))?;
        let (packet, start) = self.at(index)?;
        let Fate::Goes(destination) = packet.fate else { return None };
        let Pending { ethertype, len, checksum, segment_size, .. } = *packet;
        let link_packet = LinkPacket { destination, ethertype, len, checksum, segment_size };
        Some((index, link_packet, self.bytes.get(start..start + len)?))
    }

    /// Takes the packet at `index` out.
    pub(crate) fn remove(&mut self, index: usize) {
        let Some((&Pending { fate, len, .. }, start)) = self.at(index) else { return };
        self.bytes.copy_within(start + len..self.used, start);
        self.packets.copy_within(index + 1..self.count, index);
        self.used -= len;
        self.count -= 1;
        self.going -= usize::from(matches!(fate, Fate::Goes(_)));
    }

    fn drop_at(&mut self, index: usize) {
        self.dropped += 1;
        self.remove(index);
    }

    /// The packet at `index` and where its bytes start.
    fn at(&self, index: usize) -> Option<(&Pending, usize)> {
        let mut start = 0;
        for (at, packet) in self.packets.iter().take(self.count).flatten().enumerate() {
            if at == index {
                return Some((packet, start));
            }
            start += packet.len;
        }
        None
    }

    fn position(&self, is_it: impl Fn(&Pending) -> bool) -> Option<usize> {
        self.packets.iter().take(self.count).position(|packet| packet.as_ref().is_some_and(&is_it))
    }

    /// The oldest that waits for `target`.
    fn first_of(&self, target: Ipv4Addr) -> Option<usize> {
        self.position(|p| p.waits_for(target))
    }

    fn count_of(&self, target: Ipv4Addr) -> usize {
        self.packets.iter().take(self.count).flatten().filter(|p| p.waits_for(target)).count()
    }
}

impl Pending {
    fn waits_for(&self, target: Ipv4Addr) -> bool {
        self.target == target && self.fate == Fate::Waits
    }
}
