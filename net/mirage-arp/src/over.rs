//! ARP and the link it resolves for, as IPv4 sees them.

use core::net::Ipv4Addr;

use mirage_clock::Instant;
use mirage_net::{Capabilities, FrameWriter, Outgoing, SendError};
use mirage_protocols::{EtherType, Ethernet, HopPacket, InterfaceId, LinkHeader, Neighbours};

use crate::arp::Arp;

/// ARP and its link for as long as both are borrowed: what [`Arp::over`] gives. There is one interface, whatever
/// its number.
#[derive(Debug)]
pub struct ArpOver<'a, 's, L> {
    arp: &'a mut Arp<'s>,
    now: Instant,
    link: L,
}

impl<'a, 's, L: Ethernet> ArpOver<'a, 's, L> {
    #[inline]
    pub(crate) const fn new(arp: &'a mut Arp<'s>, now: Instant, link: L) -> Self {
        Self { arp, now, link }
    }
}

impl<L: Ethernet> Neighbours for ArpOver<'_, '_, L> {
    #[inline]
    fn mtu(&self, _: InterfaceId) -> usize {
        self.link.mtu()
    }

    #[inline]
    fn capabilities(&self, _: InterfaceId) -> Capabilities {
        self.link.capabilities()
    }

    #[inline]
    fn send(
        &mut self,
        _: InterfaceId,
        packet: HopPacket,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError> {
        self.arp.send(self.now, packet, EtherType::IPV4, &mut self.link, fill)
    }

    #[inline]
    fn header(&self, _: InterfaceId, neighbour: Ipv4Addr) -> Option<LinkHeader> {
        self.arp.header(self.now, neighbour)
    }

    #[inline(always)]
    fn send_frame(
        &mut self,
        _: InterfaceId,
        frame: Outgoing,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError> {
        self.link.send_frame(frame, fill)
    }

    #[inline(always)]
    fn send_frames(
        &mut self,
        _: InterfaceId,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        self.link.send_frames(frame, fills)
    }
}
