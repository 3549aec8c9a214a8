//! Packets on their way from one machine to the other.

use alloc::vec::Vec;

use mirage_protocols::testing::{FakeIp, SentPacket};

/// What one machine sent and the other has not received yet, oldest first.
#[derive(Default)]
pub(super) struct Link {
    packets: Vec<Travelling>,
}

#[derive(Clone)]
struct Travelling {
    packet: SentPacket,
    /// One flipped bit is always found by the checksum, two may not be.
    damaged: bool,
}

impl Link {
    /// Takes what an IP layer was given.
    pub(super) fn take_from(&mut self, ip: &mut FakeIp) {
        self.packets.extend(ip.sent.drain(..).map(|packet| Travelling { packet, damaged: false }));
        // A wire holds only so much.
        self.packets.truncate(CAPACITY);
    }

    /// The oldest packet.
    pub(super) fn next(&mut self) -> Option<SentPacket> {
        if self.packets.is_empty() { None } else { Some(self.packets.remove(0).packet) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    pub(super) fn lose(&mut self, which: u8) {
        if let Some(place) = self.place(which) {
            self.packets.remove(place);
        }
    }

    pub(super) fn double(&mut self, which: u8) {
        if let Some(place) = self.place(which) {
            self.packets.insert(place, self.packets[place].clone());
        }
    }

    pub(super) fn overtake(&mut self, which: u8) {
        if let Some(place) = self.place(which) {
            self.packets[..=place].rotate_right(1);
        }
    }

    /// Flips one bit of a packet that is whole.
    pub(super) fn damage(&mut self, which: u8, bit: u8) {
        let Some(place) = self.place(which) else { return };
        let Travelling { packet, damaged } = &mut self.packets[place];
        if !core::mem::replace(damaged, true) {
            let bit = usize::from(bit).wrapping_mul(31) % (8 * packet.bytes.len());
            packet.bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    pub(super) fn get(&self, which: u8) -> Option<&SentPacket> {
        self.place(which).map(|place| &self.packets[place].packet)
    }

    fn place(&self, which: u8) -> Option<usize> {
        usize::from(which).checked_rem(self.packets.len())
    }
}

const CAPACITY: usize = 256;
