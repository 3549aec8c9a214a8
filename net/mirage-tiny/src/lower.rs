//! Everything below TCP and UDP: the way of a packet out, and what is known of the link.

use core::net::Ipv4Addr;

use managed::ManagedSlice;
use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_net::{FrameWriter, Outgoing, SendError, Transmit};
use mirage_protocols::Ipv4Cidr;
use zerocopy::IntoBytes;

use crate::neighbours::{Known, Neighbours};
use crate::wire::{ARP, Arp, Ethernet, ICMP, IPV4, Ipv4};
use crate::{Count, Counters, Neighbour};

/// Bytes of all headers below a transport's.
pub(crate) const HEADERS: usize = size_of::<Ethernet>() + size_of::<Ipv4>();
/// Bytes of the longest packet with an MTU of 1,500 and its Ethernet header.
#[cfg(feature = "alloc")]
pub(crate) const FRAME: usize = 1_514;

/// A packet for [`Lower::send`].
pub(crate) struct Packet<'a> {
    pub(crate) destination: Ipv4Addr,
    pub(crate) protocol: u8,
    /// The transport's header, in which the checksum is zero.
    pub(crate) header: &'a mut [u8],
    /// Where the checksum goes in it.
    pub(crate) checksum: usize,
    /// What follows, in the pieces in which it lies.
    pub(crate) payload: [&'a [u8]; 2],
}

/// The link, our place in it, and who else is there.
pub(crate) struct Lower<'s> {
    pub(crate) mac: [u8; 6],
    /// Our address and how much of it is that of the network. The unspecified address until there is one.
    pub(crate) address: Ipv4Addr,
    mask: u32,
    pub(crate) gateway: Option<Ipv4Addr>,
    /// Longest IPv4 packet in bytes.
    pub(crate) mtu: u16,
    /// Longest TCP segment in bytes, its header not counted.
    pub(crate) mss: u16,
    identification: u16,
    neighbours: Neighbours<'s>,
    /// The last packet whose neighbour is not known yet, its length and its neighbour.
    waiting: ManagedSlice<'s, u8>,
    waiting_len: usize,
    waiting_for: Ipv4Addr,
    pub(crate) counters: Counters,
}

impl<'s> Lower<'s> {
    pub(crate) fn new(neighbours: ManagedSlice<'s, Neighbour>, waiting: ManagedSlice<'s, u8>) -> Self {
        Self {
            mac: [0; 6],
            address: Ipv4Addr::UNSPECIFIED,
            mask: 0,
            gateway: None,
            mtu: 0,
            mss: 0,
            identification: 0,
            neighbours: Neighbours(neighbours),
            waiting,
            waiting_len: 0,
            waiting_for: Ipv4Addr::UNSPECIFIED,
            counters: Counters::default(),
        }
    }

    /// Takes the one address.
    pub(crate) fn set_address(&mut self, address: Ipv4Cidr) {
        (self.address, self.mask) = (address.address(), address.mask().to_bits());
    }

    /// Whether `address` is in our own network.
    fn is_near(&self, address: Ipv4Addr) -> bool {
        (address.to_bits() ^ self.address.to_bits()) & self.mask == 0
    }

    /// Whether there is one host at `address`, and a way to it.
    pub(crate) fn reaches(&self, address: Ipv4Addr) -> bool {
        let one = !address.is_unspecified() && !address.is_multicast() && !self.is_broadcast(address);
        one && (self.gateway.is_some() || self.is_near(address))
    }

    /// Whether `address` is that of everybody: of all, or of all in our network (RFC 1122 §3.2.1.3).
    pub(crate) fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        let address_bits = address.to_bits();
        address_bits == u32::MAX
            || (self.mask < u32::MAX - 1 && self.is_near(address) && address_bits | self.mask == u32::MAX)
    }

    /// Sends a packet. One whose neighbour is not known yet waits for it, and the one that waited before is lost.
    ///
    /// # Errors
    /// When the device has no room; nothing happened then.
    #[inline(never)]
    pub(crate) fn send<T: Transmit>(
        &mut self,
        now: Instant,
        device: &mut T,
        packet: Packet<'_>,
    ) -> Result<(), SendError> {
        let Packet { destination, protocol, header, checksum, payload: [first, second] } = packet;
        let transport_len = header.len() + first.len() + second.len();
        let sum = match protocol {
            ICMP => Sum::ZERO,
            _ => Sum::ZERO.pseudo_header(self.address.into(), destination.into(), protocol, transport_len as u32),
        };
        let sum = sum.add_bytes(header).add_bytes(first).add_bytes(second).finish();
        // Zero would be no checksum for UDP (RFC 768); for the others the two are the same.
        let sum = if sum == 0 { u16::MAX } else { sum };
        if let Some(place) = header.get_mut(checksum..).and_then(|rest| rest.first_chunk_mut()) {
            *place = sum.to_be_bytes();
        }
        self.identification = self.identification.wrapping_add(1);
        let mut ip = Ipv4 {
            version: 0x45,
            service: 0,
            len: ((size_of::<Ipv4>() + transport_len) as u16).into(),
            identification: self.identification.into(),
            // Do not fragment.
            fragment: 0x4000.into(),
            ttl: 64,
            protocol,
            checksum: 0.into(),
            source: self.address.to_bits().into(),
            destination: destination.to_bits().into(),
        };
        ip.checksum = Sum::of(ip.as_bytes()).finish().into();
        let mut next = destination;
        let known = if self.is_broadcast(destination) {
            Known { mac: Some([0xff; 6]), ask: false }
        } else {
            if !self.is_near(destination) {
                let Some(gateway) = self.gateway else {
                    self.counters.add(Count::NoRoute);
                    return Ok(());
                };
                next = gateway;
            }
            self.neighbours.find(now, next)
        };
        // The neighbour's address comes later where it is not known yet.
        let destination = known.mac.unwrap_or_default();
        let ethernet = Ethernet { destination, source: self.mac, kind: IPV4.into() };
        let fill = &mut |writer: &mut FrameWriter<'_>| {
            for piece in [ethernet.as_bytes(), ip.as_bytes(), header, first, second] {
                writer.put(piece);
            }
        };
        if known.mac.is_some() {
            emit(device, HEADERS + transport_len, fill)?;
        } else {
            let mut writer = FrameWriter::new(&mut self.waiting);
            fill(&mut writer);
            let lost = self.waiting_len > 0 || writer.overflowed();
            self.waiting_len = if writer.overflowed() { 0 } else { writer.len() };
            self.waiting_for = next;
            if lost {
                self.counters.add(Count::Unresolved);
            }
        }
        if known.ask {
            // Lost when there is no room: it is asked again.
            let _lost = self.send_arp(device, [0xff; 6], 1, ([0; 6], next));
        }
        Ok(())
    }

    /// Asks (`operation` 1) or answers (2) to `mac` about `target`.
    fn send_arp<T: Transmit>(
        &self,
        device: &mut T,
        mac: [u8; 6],
        operation: u16,
        target: ([u8; 6], Ipv4Addr),
    ) -> Result<(), SendError> {
        let ethernet = Ethernet { destination: mac, source: self.mac, kind: ARP.into() };
        let arp = Arp {
            kinds: KINDS,
            operation: operation.into(),
            sender_mac: self.mac,
            sender: self.address.to_bits().into(),
            target_mac: target.0,
            target: target.1.to_bits().into(),
        };
        emit(device, size_of::<Ethernet>() + size_of::<Arp>(), &mut |writer| {
            writer.put(ethernet.as_bytes());
            writer.put(arp.as_bytes());
        })
    }

    /// Takes an ARP packet, answers it, and sends what has waited for it.
    pub(crate) fn arp_in<T: Transmit>(&mut self, now: Instant, device: &mut T, arp: &Arp) {
        let (sender, target) = (Ipv4Addr::from_bits(arp.sender.get()), Ipv4Addr::from_bits(arp.target.get()));
        let answer = arp.operation.get() == 2;
        // Whoever looks whether our address is free has none yet (RFC 5227 §2.1.1): it is answered and not remembered.
        let probe = sender.is_unspecified() && !answer;
        let sane = arp.kinds == KINDS
            && (answer || arp.operation.get() == 1)
            && arp.sender_mac[0] & 1 == 0
            && target == self.address
            && (probe || (self.is_near(sender) && !self.is_broadcast(sender) && sender != self.address));
        if !sane || !(probe || self.neighbours.learn(now, sender, arp.sender_mac, answer)) {
            return self.counters.add(Count::Arp);
        }
        if !answer {
            let _lost = self.send_arp(device, arp.sender_mac, 2, (arp.sender_mac, sender));
        }
        if self.waiting_len > 0 && self.waiting_for == sender {
            let frame = self.waiting.get_mut(..core::mem::take(&mut self.waiting_len)).unwrap_or_default();
            if let Some(place) = frame.first_chunk_mut() {
                *place = arp.sender_mac;
            }
            let _lost = emit(device, frame.len(), &mut |writer| writer.put(frame));
        }
    }
}

/// Ethernet, IPv4, and the lengths of their addresses.
const KINDS: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// One way down to the device, whatever is written.
#[inline(never)]
fn emit<T: Transmit>(device: &mut T, len: usize, fill: &mut dyn FnMut(&mut FrameWriter<'_>)) -> Result<(), SendError> {
    device.send(Outgoing::new(len), |writer| fill(writer))
}
