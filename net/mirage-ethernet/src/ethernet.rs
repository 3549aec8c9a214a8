//! Which frames are for us.

use core::hint::cold_path;

use managed::ManagedSlice;
use mirage_net::{Frame, MacAddress, Transmit};
use mirage_protocols::{Cast, EtherType};
use zerocopy::FromBytes;

use crate::groups::{Group, Groups, GroupsFull};
use crate::incoming::{Discard, Incoming};
use crate::link::Link;
use crate::vlan::VlanId;
use crate::wire::{Header, SMALLEST_ETHERTYPE, Tag};

/// One station on a link, or on one virtual LAN of it.
///
/// It holds no device: frames that came in are handed to [`input`](Self::input), and [`over`](Self::over) borrows a
/// device for those that go out.
#[derive(Debug)]
pub struct Ethernet<'s> {
    station: Station,
    groups: Groups<'s>,
}

/// Who we are on the link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Station {
    pub(crate) mac: MacAddress,
    /// Its [`number`].
    number: u64,
    pub(crate) vlan: Option<VlanId>,
}

impl<'s> Ethernet<'s> {
    /// A station with the address `mac`, on the virtual LAN `vlan` or on the untagged link. It can be in as many
    /// groups as `groups` has slots, and is in none yet.
    pub fn new(mac: MacAddress, vlan: Option<VlanId>, groups: impl Into<ManagedSlice<'s, Option<Group>>>) -> Self {
        let mut groups = groups.into();
        groups.fill(None);
        Self { station: Station { mac, number: number(mac), vlan }, groups: Groups(groups) }
    }

    /// Our own hardware address.
    #[inline]
    pub fn mac(&self) -> MacAddress {
        self.station.mac
    }

    /// The virtual LAN we are on.
    #[inline]
    pub fn vlan(&self) -> Option<VlanId> {
        self.station.vlan
    }

    /// Takes a frame apart that is for us: sent to our address, to everybody, or to a group we are in.
    ///
    /// On a virtual LAN only frames with its tag are taken, without one only frames without a tag; a tag that only
    /// carries a priority (VLAN number 0) is accepted in both cases. The tag is removed.
    ///
    /// # Errors
    /// The [`Discard`] to count when it is not for us or not a frame.
    #[inline]
    pub fn input<'f>(&self, frame: &Frame<'f>) -> Result<Incoming<'f>, Discard> {
        let (header, payload) = Header::ref_from_prefix(frame.bytes).map_err(|_| Discard::TooShort)?;
        let (source, destination) = (MacAddress(header.source), MacAddress(header.destination));
        let cast = if number(destination) == self.station.number { Cast::Unicast } else { self.cast(destination)? };
        let from = number(source);
        if from == 0 || from & GROUP != 0 {
            return Err(Discard::SourceNotUnicast);
        }
        let ethertype = header.ethertype.get();
        // The usual one needs no further look.
        let is_usual = ethertype == EtherType::IPV4.0 && self.station.vlan.is_none();
        let (ethertype, payload) = if is_usual { (ethertype, payload) } else { self.untag(ethertype, payload)? };
        Ok(Incoming {
            source,
            destination,
            cast,
            ethertype: EtherType(ethertype),
            payload,
            checksum: frame.checksum,
            segment_size: frame.segment_size,
        })
    }

    /// The payload of an untagged IPv4 packet for us alone: what [`input`](Self::input) finds in such a frame, and the
    /// header is looked at in two words. `None` says nothing of a frame: it is one for [`input`](Self::input).
    #[inline]
    pub fn usual<'f>(&self, frame: &Frame<'f>) -> Option<&'f [u8]> {
        let (header, payload) = frame.bytes.split_first_chunk::<{ Header::LEN as usize }>()?;
        let [.., a, b, c, d, one, two] = *header;
        // The destination, and the bit of the source that says that a group is meant.
        if (u64::from_le_bytes(*header.first_chunk()?) ^ self.station.number) << (u64::BITS - 49) != 0 {
            cold_path();
            return None;
        }
        // Nobody, or somebody in whose address these bytes are zero, too.
        if u32::from_le_bytes([a, b, c, d]) == 0 {
            cold_path();
            return None;
        }
        if u16::from_be_bytes([one, two]) != EtherType::IPV4.0 || self.station.vlan.is_some() {
            cold_path();
            return None;
        }
        Some(payload)
    }

    /// Takes frames to the group `address` from now on. Joining twice needs leaving twice.
    ///
    /// # Errors
    /// [`GroupsFull`] when no slot is free.
    pub fn join(&mut self, address: MacAddress) -> Result<(), GroupsFull> {
        self.groups.join(address)
    }

    /// Undoes one [`join`](Self::join); nothing happens without one.
    pub fn leave(&mut self, address: MacAddress) {
        self.groups.leave(address);
    }

    /// Borrows a device to send on.
    #[inline]
    pub fn over<'a, T: Transmit>(&'a self, transmit: &'a mut T) -> Link<'a, T> {
        Link::new(&self.station, transmit)
    }

    /// Whom a frame is for that is not for us alone.
    #[inline(never)]
    fn cast(&self, destination: MacAddress) -> Result<Cast, Discard> {
        if destination.is_broadcast() {
            Ok(Cast::Broadcast)
        } else if destination.is_multicast() && self.groups.contains(destination) {
            Ok(Cast::Multicast)
        } else {
            Err(Discard::NotForUs)
        }
    }

    /// What lies behind the tag, if there must or may be one; and its ethertype.
    #[inline(never)]
    fn untag<'f>(&self, mut ethertype: u16, mut payload: &'f [u8]) -> Result<(u16, &'f [u8]), Discard> {
        let is_tagged = ethertype == EtherType::VLAN.0;
        if is_tagged {
            let (tag, behind) = Tag::ref_from_prefix(payload).map_err(|_| Discard::TooShort)?;
            let ours = self.station.vlan.map_or(0, VlanId::number);
            (ethertype, payload) = (tag.ethertype.get(), behind);
            if (tag.vlan() != 0 && tag.vlan() != ours) || ethertype == EtherType::VLAN.0 {
                return Err(Discard::OtherVlan);
            }
        }
        if ethertype < SMALLEST_ETHERTYPE {
            return Err(Discard::LengthField);
        }
        if self.station.vlan.is_some() && !is_tagged {
            return Err(Discard::Untagged);
        }
        Ok((ethertype, payload))
    }
}

/// An address as a number, to compare it at once.
#[inline]
fn number(address: MacAddress) -> u64 {
    let [a, b, c, d, e, f] = address.octets();
    u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}

/// The bit of a [`number`] that says that a group is meant.
const GROUP: u64 = 1;
