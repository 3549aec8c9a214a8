//! Packets that wait for the hardware address of their target.

use core::net::Ipv4Addr;
use core::num::NonZeroU16;

use managed::ManagedSlice;
use mirage_net::{MacAddress, PartialChecksum};
use mirage_protocols::{EtherType, LinkPacket};

/// Room for the description of one waiting packet.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    target: Ipv4Addr,
    fate: Fate,
    /// Valid with the fate `Goes`: the target's station.
    mac: MacAddress,
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
    /// Its target has answered: it goes out as soon as the device takes it.
    Goes,
    /// Its target does not answer: it is kept until the event that says so is fetched.
    Lost,
}

/// Where a packet lies.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    index: usize,
    /// Its first byte in the arena.
    start: usize,
}

/// All of them, oldest first, their bytes one after the other from the start of the arena.
///
/// To find one is to look at all, and to remove one moves those behind it, at most the whole arena: this is the slow path,
/// taken once for each packet that had to wait.
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
    #[inline]
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
    fn could_hold(&self, len: usize) -> bool {
        len <= self.bytes.len() && !self.packets.is_empty()
    }

    /// Space for a packet of `len` bytes to `target`, to [`keep`](Self::keep). With more than `per_target` of one target its
    /// oldest is dropped, and when there is no room otherwise the oldest of all: the later one came, the likelier its target
    /// still answers. `None` when it cannot fit even then.
    pub(crate) fn space(&mut self, target: Ipv4Addr, len: usize, per_target: usize) -> Option<&mut [u8]> {
        if per_target == 0 || !self.could_hold(len) {
            return None;
        }
        // Of one target there are `per_target` at most, so one at most has to go.
        let waiting = self.packets.iter().take(self.count).flatten();
        if waiting.filter(|packet| packet.is(Fate::Waits, Some(target))).count() >= per_target
            && let Some(oldest) = self.find(Fate::Waits, Some(target))
        {
            self.drop_at(oldest);
        }
        while self.count == self.packets.len() || self.bytes.len() - self.used < len {
            // What is only kept for a report goes first, then the target's own, then the oldest.
            let victim = self.find(Fate::Lost, None).or_else(|| self.find(Fate::Waits, Some(target)));
            self.drop_at(victim.unwrap_or(Place { index: 0, start: 0 }));
        }
        self.bytes.get_mut(self.used..)?.get_mut(..len)
    }

    /// Keeps the packet that was written to the start of the [`space`](Self::space) given last.
    pub(crate) fn keep(&mut self, packet: Pending) {
        if let Some(slot) = self.packets.get_mut(self.count) {
            self.used += packet.len;
            self.count += 1;
            *slot = Some(packet);
        }
    }

    /// The target has the address `mac`: its packets can go.
    pub(crate) fn release(&mut self, target: Ipv4Addr, mac: MacAddress) {
        while let Some(place) = self.find(Fate::Waits, Some(target)) {
            if let Some(Some(packet)) = self.packets.get_mut(place.index) {
                (packet.fate, packet.mac) = (Fate::Goes, mac);
                self.going += 1;
            }
        }
    }

    /// The target does not answer: the first of its packets is kept for the report if `keep_one`, the others are
    /// dropped.
    pub(crate) fn lose(&mut self, target: Ipv4Addr, keep_one: bool) {
        let mut keep = keep_one;
        while let Some(place) = self.find(Fate::Waits, Some(target)) {
            match self.packets.get_mut(place.index) {
                Some(Some(packet)) if keep => packet.fate = Fate::Lost,
                _ => self.remove(place),
            }
            keep = false;
        }
    }

    /// The bytes of the packet that was kept for the report about `target`.
    pub(crate) fn lost(&self, target: Ipv4Addr) -> Option<(EtherType, &[u8])> {
        let (packet, bytes) = self.at(self.find(Fate::Lost, Some(target))?)?;
        Some((packet.ethertype, bytes))
    }

    /// Forgets the packet that was kept for the report about `target`.
    pub(crate) fn forget_lost(&mut self, target: Ipv4Addr) {
        if let Some(place) = self.find(Fate::Lost, Some(target)) {
            self.remove(place);
        }
    }

    /// The oldest packet that can go, with its bytes, and where it lies.
    pub(crate) fn first_going(&self) -> Option<(Place, LinkPacket, &[u8])> {
        if !self.any_going() {
            return None;
        }
        let place = self.find(Fate::Goes, None)?;
        let (packet, bytes) = self.at(place)?;
        let Pending { mac: destination, ethertype, len, checksum, segment_size, .. } = *packet;
        Some((place, LinkPacket { destination, ethertype, len, checksum, segment_size }, bytes))
    }

    /// Takes the packet at `place` out.
    #[inline(never)]
    pub(crate) fn remove(&mut self, place: Place) {
        let Some(Some(Pending { fate, len, .. })) = self.packets.get(place.index) else { return };
        self.going -= usize::from(*fate == Fate::Goes);
        let len = *len;
        self.bytes.copy_within(place.start + len..self.used, place.start);
        self.packets.copy_within(place.index + 1..self.count, place.index);
        self.used -= len;
        self.count -= 1;
    }

    fn drop_at(&mut self, place: Place) {
        self.dropped += 1;
        self.remove(place);
    }

    fn at(&self, place: Place) -> Option<(&Pending, &[u8])> {
        let packet = self.packets.get(place.index)?.as_ref()?;
        Some((packet, self.bytes.get(place.start..)?.get(..packet.len)?))
    }

    /// The oldest with this fate and, if given, this target.
    #[inline(never)]
    fn find(&self, fate: Fate, target: Option<Ipv4Addr>) -> Option<Place> {
        let mut start = 0;
        for (index, packet) in self.packets.iter().take(self.count).flatten().enumerate() {
            if packet.is(fate, target) {
                return Some(Place { index, start });
            }
            start += packet.len;
        }
        None
    }
}

impl Pending {
    /// A packet of `len` bytes for a target that is being asked for.
    pub(crate) const fn waiting(
        target: Ipv4Addr,
        ethertype: EtherType,
        len: usize,
        checksum: Option<PartialChecksum>,
        segment_size: Option<NonZeroU16>,
    ) -> Self {
        Self { target, fate: Fate::Waits, mac: MacAddress::UNSPECIFIED, ethertype, len, checksum, segment_size }
    }

    fn is(&self, fate: Fate, target: Option<Ipv4Addr>) -> bool {
        self.fate == fate && target.is_none_or(|target| self.target == target)
    }
}
