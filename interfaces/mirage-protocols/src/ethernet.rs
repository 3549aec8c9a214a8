//! What a link layer promises to ARP and IP.

use core::num::NonZeroU16;

use mirage_net::{Capabilities, FrameWriter, MacAddress, Outgoing, PartialChecksum, SendError, send_each};

/// What lies behind an Ethernet header (IEEE 802 numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
    /// An 802.1Q tag comes first.
    pub const VLAN: Self = Self(0x8100);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
}

/// A packet handed to the link layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkPacket {
    /// The station it is for.
    pub destination: MacAddress,
    /// What it is.
    pub ethertype: EtherType,
    /// Its length in bytes, without the link header.
    pub len: usize,
    /// A checksum left for the device, counted from the packet's first byte.
    pub checksum: Option<PartialChecksum>,
    /// Set when the device shall cut the packet into segments of this payload size.
    pub segment_size: Option<NonZeroU16>,
}

impl LinkPacket {
    /// A packet that needs nothing from the device.
    pub const fn new(destination: MacAddress, ethertype: EtherType, len: usize) -> Self {
        Self { destination, ethertype, len, checksum: None, segment_size: None }
    }
}

/// The header of an untagged frame, as it lies on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkHeader(pub [u8; Self::LEN]);

impl LinkHeader {
    /// Its length in bytes.
    pub const LEN: usize = 14;
}

/// What a link layer promises to ARP and IP.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a link layer",
    note = "`mirage_ethernet::Link` is one, on any `mirage_net::Transmit`"
)]
pub trait Ethernet {
    /// Our own hardware address.
    fn mac(&self) -> MacAddress;

    /// Largest packet in bytes, without the link header.
    fn mtu(&self) -> usize;

    /// What the device takes over; the largest large frame counts the link header.
    fn capabilities(&self) -> Capabilities;

    /// Writes the link header and lets `fill` write the packet behind it.
    ///
    /// # Errors
    /// Those of [`mirage_net::Transmit::send`]. On [`SendError::Full`] `fill` was not called.
    fn send(&mut self, packet: LinkPacket, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError>;

    /// The link header that [`send`](Self::send) writes; `None` where it is another one than that of an untagged frame.
    #[inline]
    fn header(&self, _destination: MacAddress, _ethertype: EtherType) -> Option<LinkHeader> {
        None
    }

    /// Sends a frame that `fill` writes whole, with such a [`header`](Self::header).
    ///
    /// # Errors
    /// Those of [`mirage_net::Transmit::send`]; [`SendError::Unresolved`] where there are no headers.
    #[inline]
    fn send_frame(&mut self, _frame: Outgoing, _fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        Err(SendError::Unresolved)
    }

    /// The same with a frame for each of `fills`, each as `frame` describes it. Gives how many were sent before the first error,
    /// if there was one.
    #[inline]
    fn send_frames(
        &mut self,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        send_each(fills, |fill| self.send_frame(frame, fill))
    }
}

impl<T: Ethernet + ?Sized> Ethernet for &mut T {
    fn mac(&self) -> MacAddress {
        T::mac(self)
    }
    fn mtu(&self) -> usize {
        T::mtu(self)
    }
    fn capabilities(&self) -> Capabilities {
        T::capabilities(self)
    }
    fn send(&mut self, packet: LinkPacket, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        T::send(self, packet, fill)
    }
    fn header(&self, destination: MacAddress, ethertype: EtherType) -> Option<LinkHeader> {
        T::header(self, destination, ethertype)
    }
    fn send_frame(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        T::send_frame(self, frame, fill)
    }
    fn send_frames(
        &mut self,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        T::send_frames(self, frame, fills)
    }
}
