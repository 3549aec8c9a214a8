//! What ARP itself has to send.

use core::net::Ipv4Addr;

use mirage_clock::Instant;
use mirage_net::{MacAddress, SendError};
use mirage_protocols::{EtherType, Ethernet, LinkPacket};
use zerocopy::IntoBytes;

use crate::address::Broadcast;
use crate::arp::Arp;
use crate::entry::State;
use crate::wire::{Operation, Packet};

/// Room for one packet of ARP's own to one station that waits for the device.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    operation: Operation,
    /// The address of ours to speak for; `None` for the one nearest to the other side.
    ours: Option<Ipv4Addr>,
    to: (MacAddress, Ipv4Addr),
}

impl Message {
    /// An answer: `ours` is here.
    pub(crate) const fn reply(ours: Ipv4Addr, to: (MacAddress, Ipv4Addr)) -> Self {
        Self { operation: Operation::Reply, ours: Some(ours), to }
    }

    /// A question to a neighbour that is known, before it expires.
    pub(crate) const fn refresh(to: (MacAddress, Ipv4Addr)) -> Self {
        Self { operation: Operation::Request, ours: None, to }
    }
}

impl Arp<'_> {
    /// Whether [`poll_transmit`](Self::poll_transmit) has anything to send.
    #[inline]
    pub fn wants_transmit(&self) -> bool {
        // All of them, without a branch for each: mostly there is nothing.
        self.pending.any_going()
            | self.cache.front(State::Due).is_some()
            | !self.messages.is_empty()
            | self.addresses.any_due()
    }

    /// Sends answers, packets that waited for a neighbour which has answered, probes and announcements, and
    /// requests.
    ///
    /// # Errors
    /// - [`SendError::Full`]: the device has no free buffer; what is left goes with the next call.
    /// - Those of the link. A waiting packet that the link refuses for good is dropped, not tried again.
    pub fn poll_transmit(&mut self, now: Instant, link: &mut impl Ethernet) -> Result<(), SendError> {
        if !self.wants_transmit() {
            return Ok(());
        }
        self.transmit_messages(link)?;
        self.transmit_released(link)?;
        self.transmit_claims(now, link)?;
        self.transmit_requests(now, link)
    }

    fn transmit_messages(&mut self, link: &mut impl Ethernet) -> Result<(), SendError> {
        while let Some(message) = self.messages.first() {
            let Message { operation, ours, to } = message;
            let sender = ours.map_or_else(|| self.sender(to.1), |ours| (self.config.mac, ours));
            transmit(link, to.0, &Packet::new(operation, sender, to))?;
            self.messages.pop();
        }
        Ok(())
    }

    /// Sends packets whose target has answered, oldest first.
    #[inline(never)]
    pub(crate) fn transmit_released(&mut self, link: &mut impl Ethernet) -> Result<(), SendError> {
        while let Some((place, packet, bytes)) = self.pending.first_going() {
            // The copy into the device's buffer: the packet had no device when it was written.
            let sent = send(link, packet, bytes);
            if let Err(why @ (SendError::Full | SendError::Disconnected)) = sent {
                return Err(why);
            }
            // What does not fit today will not fit tomorrow.
            self.pending.remove(place);
        }
        Ok(())
    }

    fn transmit_claims(&mut self, now: Instant, link: &mut impl Ethernet) -> Result<(), SendError> {
        while let Some((ip, broadcast)) = self.addresses.first_due() {
            // RFC 5227 §1.1: a probe has "an all-zero 'sender IP address'", an announcement our own twice.
            let sender = match broadcast {
                Broadcast::Probe => Ipv4Addr::UNSPECIFIED,
                Broadcast::Announcement => ip,
            };
            let target = (MacAddress::UNSPECIFIED, ip);
            let packet = Packet::new(Operation::Request, (self.config.mac, sender), target);
            transmit(link, MacAddress::BROADCAST, &packet)?;
            self.addresses.on_sent(now, ip, &self.config);
        }
        Ok(())
    }

    fn transmit_requests(&mut self, now: Instant, link: &mut impl Ethernet) -> Result<(), SendError> {
        while let Some(index) = self.cache.front(State::Due) {
            let Some(ip) = self.cache.get(index).map(|entry| entry.ip) else { break };
            let packet = Packet::new(Operation::Request, self.sender(ip), (MacAddress::UNSPECIFIED, ip));
            transmit(link, MacAddress::BROADCAST, &packet)?;
            self.cache.move_to(index, State::Waiting);
            if let Some(entry) = self.cache.get_mut(index) {
                entry.tries = entry.tries.saturating_add(1);
                entry.until = now + self.config.request_interval;
            }
        }
        Ok(())
    }

    /// Who we are towards `target`. Without an address we still may ask; such a request is a probe.
    fn sender(&self, target: Ipv4Addr) -> (MacAddress, Ipv4Addr) {
        (self.config.mac, self.addresses.nearest(target).unwrap_or(Ipv4Addr::UNSPECIFIED))
    }
}

fn transmit(link: &mut impl Ethernet, destination: MacAddress, packet: &Packet) -> Result<(), SendError> {
    send(link, LinkPacket::new(destination, EtherType::ARP, Packet::LEN), packet.as_bytes())
}

/// One piece of code for all that is not sent on the straight way.
#[inline(never)]
fn send(link: &mut impl Ethernet, packet: LinkPacket, bytes: &[u8]) -> Result<(), SendError> {
    link.send(packet, |writer| writer.put(bytes))
}
