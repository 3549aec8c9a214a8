//! The layer with its links lent to it: how ICMP, UDP and TCP send.

use core::hint::cold_path;
use core::net::{IpAddr, Ipv4Addr};

use mirage_clock::Instant;
use mirage_net::{Capabilities, FrameWriter, Outgoing, SendError};
use mirage_protocols::{HopPacket, InterfaceId, Ip, LinkHeader, Neighbours, NextHop, Packet};
use zerocopy::IntoBytes;

use crate::Outbound;
use crate::flow::{By, Flow, Key};
use crate::fragment::Piece;
use crate::fragmentation::Verbs;
use crate::ipv4::{Known, Sender};
use crate::route::{Hop, Way, way};
use crate::wire::{DONT_FRAGMENT, Framed, HEADER_LEN, MAX_LEN, NO_OPTIONS, ROUTER_ALERT, ROUTER_ALERT_SUM, Words};

/// The sending half over its links for the time of a call; from [`Ipv4::over`](crate::Ipv4::over). An address of IPv6 has no route here.
#[derive(Debug)]
pub struct Ipv4Over<'a, 's, N> {
    outbound: Outbound<'a, 's>,
    neighbours: N,
    by: By,
}

impl<'a, 's, N: Neighbours> Ipv4Over<'a, 's, N> {
    #[inline]
    pub(crate) fn new(outbound: Outbound<'a, 's>, neighbours: N) -> Self {
        Self { outbound, neighbours, by: By::ROUTE }
    }

    /// As [`Ipv4::poll_transmit`](crate::Ipv4::poll_transmit).
    pub fn poll_transmit(&mut self, now: Instant) {
        if !self.outbound.sender.fragments.is_empty() {
            self.send_rest(now);
        }
    }

    /// Sends by this interface only. A DHCP client on the second of two interfaces needs it: a broadcast goes by the
    /// interface of the first address otherwise.
    #[must_use]
    #[inline]
    pub fn by(self, interface: InterfaceId) -> Self {
        Self { by: By::interface(interface), ..self }
    }

    #[inline]
    fn way(&self, to: Ipv4Addr) -> Option<Way> {
        let Known { addresses, routes, .. } = self.outbound.known;
        way(addresses, routes, to, self.by.only())
    }

    #[inline]
    fn way_to(&self, to: IpAddr) -> Option<Way> {
        match to {
            IpAddr::V4(to) => self.way(to),
            IpAddr::V6(_) => None,
        }
    }
}

impl<N: Neighbours> Ip for Ipv4Over<'_, '_, N> {
    /// The first address on the way's interface whose network has the next hop, else the interface's first, else the
    /// first of all. To everybody, 0.0.0.0 while there is none (RFC 2131 §4.1).
    #[inline]
    fn source(&self, to: IpAddr) -> Option<IpAddr> {
        self.way_to(to)?.source.map(IpAddr::V4)
    }

    /// That of the link less 20 bytes; without a route 556, which every host takes (RFC 791 §3.1).
    #[inline]
    fn mtu(&self, to: IpAddr) -> usize {
        let mtu = self.way_to(to).map_or(EVERY_HOST_TAKES, |way| self.neighbours.mtu(way.hop.interface));
        mtu.saturating_sub(HEADER_LEN)
    }

    #[inline]
    fn capabilities(&self, to: IpAddr) -> Capabilities {
        let Some(way) = self.way_to(to) else { return Capabilities::default() };
        let capabilities = self.neighbours.capabilities(way.hop.interface);
        let largest = capabilities.max_large_frame.saturating_sub(ETHERNET_HEADER_LEN).min(MAX_LEN);
        Capabilities { max_large_frame: largest.saturating_sub(HEADER_LEN), ..capabilities }
    }

    /// `packet.source` is taken as it is: a gateway sends in the name of others.
    #[inline]
    fn send(&mut self, packet: Packet, mut fill: impl FnMut(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        self.send_packet(&packet, None, &mut fill)
    }

    /// For packets without options, and with the usual time to live, to a neighbour.
    #[inline(always)]
    fn send_again(
        &mut self,
        packet: &Packet,
        fill: &mut impl FnMut(&mut FrameWriter<'_>),
    ) -> Option<Result<(), SendError>> {
        let straight = self.straight(packet)?;
        let Sender { flow, identification, .. } = &mut *self.outbound.sender;
        let sent = self.neighbours.send_frame(
            straight.interface,
            straight.frame,
            #[inline(always)]
            |writer| {
                let identification = match packet.dont_fragment {
                    true => DONT_FRAGMENT.into(),
                    false => u32::from(identification.next(flow.hash)) << 16,
                };
                writer.put_header(straight.header(flow, packet, identification).as_bytes());
                let before = writer.len();
                fill(writer);
                debug_assert_eq!(writer.len() - before, packet.len, "fill writes as many bytes as it announced");
            },
        );
        match sent {
            // Then nothing was written: whoever tries again finds the same.
            Err(SendError::Full | SendError::Disconnected) => {
                cold_path();
                None
            }
            sent => Some(sent),
        }
    }

    /// For packets of the same kind that are never cut: all have the same header.
    #[inline(always)]
    fn send_run(
        &mut self,
        packet: &Packet,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> Option<(usize, Result<(), SendError>)> {
        let straight = self.straight(packet).filter(|_| packet.dont_fragment)?;
        let header = &straight.header(&self.outbound.sender.flow, packet, DONT_FRAGMENT.into());
        let frames = fills.map(
            #[inline(always)]
            move |fill| {
                #[inline(always)]
                move |writer: &mut FrameWriter<'_>| {
                    writer.put_header(header.as_bytes());
                    if writer.overflowed() {
                        // The compiler knows from here on how long what was written is.
                        cold_path();
                        return;
                    }
                    let before = writer.len();
                    fill(writer);
                    debug_assert_eq!(writer.len() - before, packet.len, "fill writes as many bytes as it announced");
                }
            },
        );
        Some(self.neighbours.send_frames(straight.interface, straight.frame, frames))
    }
}

/// A packet that goes straight to the device.
struct Straight {
    interface: InterfaceId,
    link: [u8; LinkHeader::LEN],
    source: Ipv4Addr,
    destination: Ipv4Addr,
    /// Bytes with its header.
    len: usize,
    frame: Outgoing,
}

impl Straight {
    /// The header of a packet of `flow` with this identification and these flags.
    #[inline(always)]
    fn header(&self, flow: &Flow, packet: &Packet, identification_and_flags: u32) -> Framed {
        let variable = (packet.ecn as u32) << 16 | self.len as u32;
        let header = Words::new(
            u32::from_be_bytes([NO_OPTIONS, 0, 0, 0]) | variable,
            identification_and_flags,
            u32::from_be_bytes([flow.ttl, packet.protocol.0, 0, 0]),
            flow.sum + u64::from(variable) + u64::from(identification_and_flags),
            self.source,
            self.destination,
        );
        Framed { link: self.link, header }
    }
}

impl<N: Neighbours> Ipv4Over<'_, '_, N> {
    /// What is known of a packet if there is nothing to find, cut or ask for.
    #[inline(always)]
    fn straight(&self, packet: &Packet) -> Option<Straight> {
        let flow = &self.outbound.sender.flow;
        let (IpAddr::V4(source), IpAddr::V4(destination), NextHop::Neighbour(next)) =
            (packet.source, packet.destination, flow.hop.next)
        else {
            cold_path();
            return None;
        };
        let interface = flow.hop.interface;
        let is_usual = flow.is(Key::new(source, destination, packet.protocol, self.by))
            && packet.ttl.is_none()
            && !packet.router_alert
            && packet.len <= MAX_LEN - HEADER_LEN;
        let len = HEADER_LEN + packet.len;
        if !is_usual || (len > self.neighbours.mtu(interface) && packet.segment_size.is_none()) {
            cold_path();
            return None;
        }
        let Some(LinkHeader(link)) = self.neighbours.header(interface, next) else {
            cold_path();
            return None;
        };
        let frame = Outgoing {
            len: LinkHeader::LEN + len,
            checksum: packet.checksum.map(|checksum| checksum.below((LinkHeader::LEN + HEADER_LEN) as u16)),
            segment_size: packet.segment_size,
        };
        Some(Straight { interface, link, source, destination, len, frame })
    }
}

impl<N: Neighbours> Ipv4Over<'_, '_, N> {
    /// As `send`, or a `piece` of a packet. Behind a pointer, so that a program holds the walk from here to the device once
    /// and not once for each place that sends.
    #[inline(never)]
    fn send_packet(&mut self, packet: &Packet, piece: Option<&Piece>, fill: Fill<'_>) -> Result<(), SendError> {
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (packet.source, packet.destination) else {
            return Err(SendError::NoRoute);
        };
        let key = Key::new(source, destination, packet.protocol, self.by);
        if !self.outbound.sender.flow.is(key) && !self.outbound.find_flow(source, destination, packet.protocol, self.by)
        {
            return Err(SendError::NoRoute);
        }
        let Sender { flow, identification, .. } = &mut *self.outbound.sender;
        let options = u32::from(packet.router_alert);
        let header_len = HEADER_LEN + options as usize * ROUTER_ALERT.len();
        let len = header_len + packet.len;
        if len > MAX_LEN {
            return Err(SendError::TooLong);
        }
        let identification_and_flags = match piece {
            Some(piece) => u32::from(piece.identification) << 16 | u32::from(piece.flags_and_offset),
            None if packet.dont_fragment => DONT_FRAGMENT.into(),
            None => u32::from(identification.next(flow.hash)) << 16,
        };
        let Hop { interface, next } = flow.hop;
        let mtu = self.neighbours.mtu(interface);
        if len > mtu && packet.segment_size.is_none() {
            // Nobody could complete a checksum that is spread over fragments.
            return match self.outbound.known.config.fragmentation.0 {
                Some(verbs) if !packet.dont_fragment && packet.checksum.is_none() => {
                    let (hop, identification) = (flow.hop, (identification_and_flags >> 16) as u16);
                    self.send_in_pieces(verbs, packet, hop, identification, mtu, fill)
                }
                _ => Err(SendError::WouldFragment { mtu }),
            };
        }
        // The first three words of the header, without its checksum.
        let one = (u32::from(NO_OPTIONS) + options) << 24 | (packet.ecn as u32) << 16 | len as u32;
        let three = u32::from(packet.ttl.unwrap_or(flow.ttl)) << 24 | u32::from(packet.protocol.0) << 16;
        // A few numbers of 32 bits, so no carry is lost.
        let sum = flow.sum + u64::from(one - (u32::from(NO_OPTIONS) << 24)) + u64::from(identification_and_flags)
            - (u64::from(flow.ttl) << 24)
            + (u64::from(three) & 0xff00_0000)
            + u64::from(options * u32::from(ROUTER_ALERT_SUM));
        let header = Words::new(one, identification_and_flags, three, sum, source, destination);
        let below = HopPacket {
            to: next,
            len,
            checksum: packet.checksum.map(|checksum| checksum.below(header_len as u16)),
            segment_size: packet.segment_size,
        };
        self.neighbours.send(interface, below, move |frame| {
            let before = frame.len();
            frame.put_header(header.as_bytes());
            if options > 0 {
                frame.put(&ROUTER_ALERT);
            }
            fill(frame);
            debug_assert_eq!(frame.len() - before, len, "fill writes as many bytes as it announced");
        })
    }

    /// Cuts a packet that is longer than the MTU.
    #[cold]
    fn send_in_pieces(
        &mut self,
        verbs: &Verbs,
        packet: &Packet,
        hop: Hop,
        identification: u16,
        mtu: usize,
        fill: Fill<'_>,
    ) -> Result<(), SendError> {
        let mut fragments = self.outbound.sender.fragments.take();
        let sent = (verbs.send)(&mut fragments, packet, hop, identification, mtu, fill, &mut |packet, piece, fill| {
            self.send_packet(packet, Some(piece), fill)
        });
        self.outbound.sender.fragments = fragments;
        sent
    }

    /// Sends the pieces for which the device had no room before.
    #[cold]
    fn send_rest(&mut self, now: Instant) {
        let Some(verbs) = self.outbound.known.config.fragmentation.0 else { return };
        let mut fragments = self.outbound.sender.fragments.take();
        (verbs.send_rest)(&mut fragments, now, &mut |packet, piece, fill| self.send_packet(packet, Some(piece), fill));
        self.outbound.sender.fragments = fragments;
    }
}

/// What writes a packet behind its header. It is called once at most.
pub(crate) type Fill<'a> = &'a mut dyn FnMut(&mut FrameWriter<'_>);

/// Length of the shortest packet that every host must take, in bytes.
const EVERY_HOST_TAKES: usize = 576;
/// What the largest large frame of a device counts and ours does not, in bytes.
const ETHERNET_HEADER_LEN: usize = 14;
