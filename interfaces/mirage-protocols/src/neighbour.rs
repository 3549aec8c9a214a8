//! What lies below IPv4: links on which a neighbour is reached by its IP address.

use core::net::Ipv4Addr;
use core::num::NonZeroU16;

use mirage_net::{Capabilities, FrameWriter, Outgoing, PartialChecksum, SendError, send_each};

use crate::LinkHeader;

/// Which of several interfaces; a small number the assembler of the stack gives out, 0 for the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(pub u8);

/// Whom a packet goes to on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// The neighbour with this address: its hardware address has to be found first.
    Neighbour(Ipv4Addr),
    /// A multicast group (RFC 1112 §6.4 maps it to a hardware address).
    Group(Ipv4Addr),
    /// Everybody on the link.
    Broadcast,
}

/// An IP packet handed to [`Neighbours::send`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopPacket {
    /// Whom it goes to on the link.
    pub to: NextHop,
    /// Its length in bytes with its IP header.
    pub len: usize,
    /// A checksum left for the device, counted from the packet's first byte.
    pub checksum: Option<PartialChecksum>,
    /// Set when the device shall cut the packet into segments of this payload size.
    pub segment_size: Option<NonZeroU16>,
}

/// What lies below IPv4: the links, with address resolution.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot send to neighbours",
    note = "`mirage_arp::ArpOver` can, on any Ethernet; `mirage_protocols::testing::FakeNeighbours` for tests"
)]
pub trait Neighbours {
    /// Largest IP packet in bytes, IP header included.
    fn mtu(&self, interface: InterfaceId) -> usize;

    /// What the device takes over; the largest large frame counts the link header.
    fn capabilities(&self, interface: InterfaceId) -> Capabilities;

    /// Sends what `fill` writes to the next hop, or keeps it until the next hop's hardware address is known.
    ///
    /// # Errors
    /// [`SendError::Full`] (then `fill` was not called), [`SendError::Unresolved`], [`SendError::TooLong`],
    /// [`SendError::Disconnected`].
    fn send(
        &mut self,
        interface: InterfaceId,
        packet: HopPacket,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError>;

    /// The header of frames to `neighbour`, while [`send`](Self::send) would do nothing but put it before the packet: nothing
    /// waits for the neighbour, and nothing is to be noted or asked. `None` is always right.
    #[inline]
    fn header(&self, _interface: InterfaceId, _neighbour: Ipv4Addr) -> Option<LinkHeader> {
        None
    }

    /// Sends a frame that `fill` writes with such a [`header`](Self::header), at once.
    ///
    /// # Errors
    /// Those of [`mirage_net::Transmit::send`]; [`SendError::Unresolved`] where there are no headers.
    #[inline]
    fn send_frame(
        &mut self,
        _interface: InterfaceId,
        _frame: Outgoing,
        _fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError> {
        Err(SendError::Unresolved)
    }

    /// The same with a frame for each of `fills`, each as `frame` describes it. Gives how many were sent before the first error,
    /// if there was one.
    #[inline]
    fn send_frames(
        &mut self,
        interface: InterfaceId,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        send_each(fills, |fill| self.send_frame(interface, frame, fill))
    }
}

impl<T: Neighbours + ?Sized> Neighbours for &mut T {
    fn mtu(&self, interface: InterfaceId) -> usize {
        T::mtu(self, interface)
    }
    fn capabilities(&self, interface: InterfaceId) -> Capabilities {
        T::capabilities(self, interface)
    }
    fn send(
        &mut self,
        interface: InterfaceId,
        packet: HopPacket,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError> {
        T::send(self, interface, packet, fill)
    }
    fn header(&self, interface: InterfaceId, neighbour: Ipv4Addr) -> Option<LinkHeader> {
        T::header(self, interface, neighbour)
    }
    fn send_frame(
        &mut self,
        interface: InterfaceId,
        frame: Outgoing,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError> {
        T::send_frame(self, interface, frame, fill)
    }
    fn send_frames(
        &mut self,
        interface: InterfaceId,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        T::send_frames(self, interface, frame, fills)
    }
}
