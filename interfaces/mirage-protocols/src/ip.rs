//! What an IP layer promises to ICMP, UDP and TCP. One trait for both versions: addresses are `core::net::IpAddr`.

use core::net::IpAddr;
use core::num::NonZeroU16;

use mirage_net::{Capabilities, FrameWriter, PartialChecksum, SendError};

use crate::Ecn;

/// What lies behind an IP header (IANA protocol numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// IGMP.
    pub const IGMP: Self = Self(2);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// ICMP for IPv6.
    pub const ICMPV6: Self = Self(58);
}

/// A packet handed to the IP layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where it claims to come from; an address of ours, from [`Ip::source`].
    pub source: IpAddr,
    /// Where it goes, of the same version.
    pub destination: IpAddr,
    /// What it is.
    pub protocol: Protocol,
    /// Its length in bytes, without the IP header.
    pub len: usize,
    /// Time to live; `None` for the layer's default (64; 1 to multicast groups).
    pub ttl: Option<u8>,
    /// Refuse with [`SendError::WouldFragment`] rather than cut it.
    pub dont_fragment: bool,
    /// Carry the Router Alert option (RFC 2113), as IGMP must.
    pub router_alert: bool,
    /// A checksum left for the device, counted from the first byte behind the IP header. Only where
    /// [`Ip::capabilities`] has it; such a packet is never fragmented.
    pub checksum: Option<PartialChecksum>,
    /// Set when the device shall cut the packet into segments of this payload size.
    pub segment_size: Option<NonZeroU16>,
    /// Whether routers may mark it instead of dropping it.
    pub ecn: Ecn,
}

impl Packet {
    /// A packet with the layer's defaults that may be fragmented.
    pub const fn new(source: IpAddr, destination: IpAddr, protocol: Protocol, len: usize) -> Self {
        Self {
            source,
            destination,
            protocol,
            len,
            ttl: None,
            dont_fragment: false,
            router_alert: false,
            checksum: None,
            segment_size: None,
            ecn: Ecn::NotCapable,
        }
    }
}

/// What an IP layer promises to ICMP, UDP and TCP.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an IP layer",
    note = "`mirage_ipv4::Ipv4Over` is one; `mirage_protocols::testing::FakeIp` is one for tests"
)]
pub trait Ip {
    /// Our address to use towards `to`, or `None` without a route.
    fn source(&self, to: IpAddr) -> Option<IpAddr>;

    /// Largest packet towards `to` in bytes, without the IP header (1480 on Ethernet with IPv4).
    fn mtu(&self, to: IpAddr) -> usize;

    /// What the device on the way to `to` takes over. `max_large_frame` here counts only what lies behind the IP
    /// header.
    fn capabilities(&self, to: IpAddr) -> Capabilities;

    /// Writes the IP header and lets `fill`, which is called once at most, write exactly `packet.len` bytes behind it. A packet longer than
    /// [`mtu`](Self::mtu) is cut into fragments unless it says otherwise.
    ///
    /// `Ok` means that the packet is on its way or waits for its next hop's address; it may still be lost.
    ///
    /// # Errors
    /// - [`SendError::Full`]: no buffer is free; `fill` was not called; try again later.
    /// - [`SendError::NoRoute`], [`SendError::Unresolved`]: it cannot go there (now).
    /// - [`SendError::WouldFragment`], [`SendError::TooLong`]: make it shorter.
    fn send(&mut self, packet: Packet, fill: impl FnMut(&mut FrameWriter<'_>)) -> Result<(), SendError>;

    /// Does what [`send`](Self::send) does if there is nothing to find, cut or ask for, since the packet is like the one
    /// before; `None` if nothing was done. `None` is always right.
    ///
    /// The way down to the device lies in the place of the call: some hundred bytes of code at each such place, for half of
    /// the instructions.
    #[inline]
    fn send_again(
        &mut self,
        _packet: &Packet,
        _fill: &mut impl FnMut(&mut FrameWriter<'_>),
    ) -> Option<Result<(), SendError>> {
        None
    }

    /// Does what [`send`](Self::send) does, [again](Self::send_again) where it can.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    #[inline]
    fn send_straight(&mut self, packet: Packet, mut fill: impl FnMut(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        match self.send_again(&packet, &mut fill) {
            Some(sent) => sent,
            None => self.send(packet, fill),
        }
    }

    /// Sends a packet for each of `fills` as [`send_again`](Self::send_again) does, each as `packet` describes it. Gives how many
    /// were sent before the first error, if there was one; what a layer has to find out for them is found out once. `None` if
    /// nothing was done, which is always right.
    #[inline]
    fn send_run(
        &mut self,
        _packet: &Packet,
        _fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> Option<(usize, Result<(), SendError>)> {
        None
    }
}

impl<T: Ip + ?Sized> Ip for &mut T {
    fn source(&self, to: IpAddr) -> Option<IpAddr> {
        T::source(self, to)
    }
    fn mtu(&self, to: IpAddr) -> usize {
        T::mtu(self, to)
    }
    fn capabilities(&self, to: IpAddr) -> Capabilities {
        T::capabilities(self, to)
    }
    fn send(&mut self, packet: Packet, fill: impl FnMut(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        T::send(self, packet, fill)
    }
    fn send_again(
        &mut self,
        packet: &Packet,
        fill: &mut impl FnMut(&mut FrameWriter<'_>),
    ) -> Option<Result<(), SendError>> {
        T::send_again(self, packet, fill)
    }
    fn send_run(
        &mut self,
        packet: &Packet,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> Option<(usize, Result<(), SendError>)> {
        T::send_run(self, packet, fills)
    }
}
