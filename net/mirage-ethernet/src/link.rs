//! Frames on their way out.

use mirage_net::{Capabilities, FrameWriter, MacAddress, Outgoing, SendError, Transmit};
use mirage_protocols::{EtherType, LinkHeader, LinkPacket};
use zerocopy::IntoBytes;

use crate::ethernet::Station;
use crate::wire::{Header, Tagged};

/// A station and the device it sends on, for as long as both are borrowed: what
/// [`Ethernet::over`](crate::Ethernet::over) gives.
///
/// Frames are not padded: what is shorter than 60 bytes is left to the device.
#[derive(Debug)]
pub struct Link<'a, T> {
    station: &'a Station,
    transmit: &'a mut T,
}

impl<'a, T: Transmit> Link<'a, T> {
    #[inline]
    pub(crate) const fn new(station: &'a Station, transmit: &'a mut T) -> Self {
        Self { station, transmit }
    }
}

impl<T: Transmit> mirage_protocols::Ethernet for Link<'_, T> {
    #[inline]
    fn mac(&self) -> MacAddress {
        self.station.mac
    }

    /// The device's: a tag does not shorten it. IEEE 802.3 §3.2.7 allows a tagged frame four bytes more.
    #[inline]
    fn mtu(&self) -> usize {
        self.transmit.mtu()
    }

    /// The device's. The largest large frame counts a link header of 14 bytes, so a tag is taken off it here.
    #[inline]
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.transmit.capabilities();
        if self.station.vlan.is_some() {
            let tag = usize::from(Tagged::LEN - Header::LEN);
            capabilities.max_large_frame = capabilities.max_large_frame.saturating_sub(tag);
        }
        capabilities
    }

    /// [`SendError::TooLong`] already when the packet is longer than the MTU and not to be cut by the device.
    #[inline]
    fn send(&mut self, packet: LinkPacket, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        if packet.len > self.transmit.mtu() && packet.segment_size.is_none() {
            return Err(SendError::TooLong);
        }
        let Station { mac, vlan, .. } = *self.station;
        let header_len = if vlan.is_some() { Tagged::LEN } else { Header::LEN };
        let outgoing = Outgoing {
            len: packet.len.saturating_add(header_len.into()),
            checksum: packet.checksum.map(|checksum| checksum.below(header_len)),
            segment_size: packet.segment_size,
        };
        self.transmit.send(outgoing, |writer| {
            match vlan {
                None => writer.put_header(Header::new(packet.destination, mac, packet.ethertype).as_bytes()),
                Some(vlan) => {
                    writer.put(Tagged::new(packet.destination, mac, vlan.number(), packet.ethertype).as_bytes());
                }
            }
            fill(writer);
        })
    }

    #[inline]
    fn header(&self, destination: MacAddress, ethertype: EtherType) -> Option<LinkHeader> {
        let Station { mac, vlan, .. } = *self.station;
        vlan.is_none().then(|| LinkHeader(Header::new(destination, mac, ethertype).bytes()))
    }

    #[inline(always)]
    fn send_frame(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        self.transmit.send(frame, fill)
    }

    #[inline(always)]
    fn send_frames(
        &mut self,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        self.transmit.send_run(frame, fills)
    }
}
