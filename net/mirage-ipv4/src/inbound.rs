//! The receiving half.

use core::fmt;
use core::hint::cold_path;
use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU16;

use mirage_clock::Instant;
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, Ecn, InterfaceId, Protocol, Received};

use crate::address::Arrival;
use crate::discard::{Discard, Discards};
use crate::ipv4::{Known, Receiver};
use crate::wire::{Parsed, parse, parse_usual};
use crate::{Expired, Incoming};

/// The receiving half of [`Ipv4`](crate::Ipv4), from [`Ipv4::split`](crate::Ipv4::split).
pub struct Inbound<'a, 's> {
    pub(crate) known: &'a Known<'s>,
    pub(crate) receiver: &'a mut Receiver<'s>,
}

impl<'a> Inbound<'a, '_> {
    /// As [`Ipv4::input`](crate::Ipv4::input).
    ///
    /// # Errors
    /// [`Discard`]: what was wrong with the packet; it was counted.
    #[inline]
    pub fn input(
        self,
        now: Instant,
        interface: InterfaceId,
        link_cast: Cast,
        packet: &'a [u8],
        checksum: ReceivedChecksum,
        segment_size: Option<NonZeroU16>,
    ) -> Result<Option<Incoming<'a>>, Discard> {
        let received = (packet, checksum, segment_size);
        self.input_with(now, interface, link_cast, received, |incoming| *incoming)
    }

    /// As [`input`](Self::input), but hands what lies in the packet, with what the device said of it, to `take` and does
    /// not move it.
    ///
    /// # Errors
    /// Those of [`input`](Self::input).
    #[inline]
    pub fn input_with<R>(
        self,
        now: Instant,
        interface: InterfaceId,
        link_cast: Cast,
        (packet, checksum, segment_size): (&'a [u8], ReceivedChecksum, Option<NonZeroU16>),
        take: impl FnOnce(&Incoming<'a>) -> R,
    ) -> Result<Option<R>, Discard> {
        let packet = match parse(packet) {
            Ok(packet) => packet,
            Err(reason) => return Err(discard(&mut self.receiver.discards, reason)),
        };
        let arrival = Arrival { interface, link_cast, source: packet.source(), destination: packet.destination() };
        let addresses = &self.known.addresses;
        let cast = match addresses.recall(arrival) {
            Some(cast) => cast,
            None => match addresses.examine(arrival, self.known.config.accept_any) {
                Ok(cast) => cast,
                Err(reason) => return Err(discard(&mut self.receiver.discards, reason)),
            },
        };
        let incoming = if packet.header.is_fragment() {
            // A copy, so that the usual way need not have it in memory.
            let Parsed { header, header_bytes, payload } = packet;
            match self.input_fragment(now, interface, cast, &Parsed { header, header_bytes, payload })? {
                Some(whole) => whole,
                None => return Ok(None),
            }
        } else {
            Incoming {
                protocol: packet.protocol(),
                received: Received {
                    source: IpAddr::V4(packet.source()),
                    destination: IpAddr::V4(packet.destination()),
                    cast,
                    payload: packet.payload,
                    checksum,
                    segment_size,
                    ttl: packet.header.ttl,
                    ecn: Ecn::of(packet.header.traffic_class),
                },
                header: packet.header_bytes,
                fragmented: false,
            }
        };
        Ok(Some(take(&incoming)))
    }

    /// What lies in a packet that came in a frame for us alone: what [`input`](Self::input) finds in a whole one without
    /// options between the same addresses as the one before. `None` for others, also for bad ones: those are for
    /// [`input`](Self::input), and nothing was done yet.
    #[inline]
    pub fn usual<'p>(
        &self,
        interface: InterfaceId,
        packet: &'p [u8],
        checksum: ReceivedChecksum,
        segment_size: Option<NonZeroU16>,
    ) -> Option<(Protocol, Received<'p>)> {
        let Some(Parsed { header, payload, .. }) = parse_usual(packet) else {
            cold_path();
            return None;
        };
        let (source, destination) = (Ipv4Addr::from(header.source), Ipv4Addr::from(header.destination));
        let arrival = Arrival { interface, link_cast: Cast::Unicast, source, destination };
        let Some(cast) = self.known.addresses.recall(arrival) else {
            cold_path();
            return None;
        };
        let received = Received {
            source: IpAddr::V4(source),
            destination: IpAddr::V4(destination),
            cast,
            payload,
            checksum,
            segment_size,
            ttl: header.ttl,
            ecn: Ecn::of(header.traffic_class),
        };
        Some((Protocol(header.protocol), received))
    }

    /// As [`Ipv4::poll_expired`](crate::Ipv4::poll_expired).
    pub fn poll_expired(&mut self, now: Instant) -> Option<Expired<'_>> {
        self.receiver.poll_expired(&self.known.config, now)
    }

    /// Keeps a fragment, or hands up the datagram that it completes.
    #[cold]
    fn input_fragment(
        self,
        now: Instant,
        interface: InterfaceId,
        cast: Cast,
        packet: &Parsed<'_>,
    ) -> Result<Option<Incoming<'a>>, Discard> {
        let Receiver { reassembly, discards } = self.receiver;
        let (Some(verbs), Some(reassembly)) = (self.known.config.fragmentation.0, reassembly) else {
            return Err(discard(discards, Discard::Fragment));
        };
        let whole = match (verbs.input)(reassembly, now, interface, cast, packet) {
            Ok(Some(whole)) => whole,
            Ok(None) => return Ok(None),
            Err(reason) => return Err(discard(discards, reason)),
        };
        let (header, payload) = reassembly.whole(whole);
        let received = Received {
            source: IpAddr::V4(packet.source()),
            destination: IpAddr::V4(packet.destination()),
            cast,
            payload,
            // Whatever the device knows of one fragment says nothing about the sum over all.
            checksum: ReceivedChecksum::Unchecked,
            segment_size: None,
            ttl: header.get(TTL).copied().unwrap_or_default(),
            // What the first fragment says; RFC 3168 §5.3 would have a mark on any of them count.
            ecn: Ecn::of(header.get(TRAFFIC_CLASS).copied().unwrap_or_default()),
        };
        Ok(Some(Incoming { protocol: packet.protocol(), received, header, fragmented: true }))
    }
}

impl fmt::Debug for Inbound<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").field("addresses", &self.known.addresses).finish_non_exhaustive()
    }
}

#[cold]
fn discard(discards: &mut Discards, reason: Discard) -> Discard {
    discards.count(reason);
    reason
}

/// Where the time to live lies in a header.
const TTL: usize = 8;
/// Where the traffic class lies.
const TRAFFIC_CLASS: usize = 1;
