//! Packets that came in.

use core::net::Ipv4Addr;

use mirage_clock::Instant;
use mirage_net::MacAddress;

use crate::addresses::Verdict;
use crate::arp::Arp;
use crate::discard::Discard;
use crate::entry::State;
use crate::event::Event;
use crate::transmit::Message;
use crate::wire::{Operation, Packet, Parsed};

impl Arp<'_> {
    /// Takes a packet that came from the station `link_source`; bytes behind its 28 are ignored.
    ///
    /// Nothing that was not asked for makes a new entry, so strangers cannot fill the cache. What a packet says of
    /// a neighbour that is known or asked for is believed, unless it was set by hand (RFC 826: the "Merge_flag").
    /// Requests for an address of ours, broadcast or unicast, are answered by the next
    /// [`poll_transmit`](Self::poll_transmit).
    ///
    /// # Errors
    /// The [`Discard`] to count.
    #[inline(never)]
    pub fn input(&mut self, now: Instant, packet: &[u8], link_source: MacAddress) -> Result<(), Discard> {
        let packet = Packet::parse(packet)?;
        if packet.sender_mac != link_source {
            return Err(Discard::SenderMismatch);
        }
        if packet.sender_mac == self.config.mac {
            return Err(Discard::OwnPacket);
        }
        if !packet.sender_mac.is_unicast() || packet.sender_ip.is_multicast() || packet.sender_ip.is_broadcast() {
            return Err(Discard::SenderNotUnicast);
        }
        self.check_conflict(now, &packet)?;
        let learnt = self.learn(now, packet.sender_ip, packet.sender_mac);
        match packet.operation {
            Operation::Request if self.answers(&packet) => self.answer(&packet),
            Operation::Request => {
                learnt.map_err(|why| if why == Discard::Unsolicited { Discard::NotForUs } else { why })
            }
            Operation::Reply => learnt,
        }
    }

    /// RFC 5227 §2.1.1 and §2.4: who else uses, or probes for, an address of ours?
    fn check_conflict(&mut self, now: Instant, packet: &Parsed) -> Result<(), Discard> {
        let is_probe = packet.operation == Operation::Request && packet.sender_ip.is_unspecified();
        // Somebody's probe for what we are probing too is a conflict; for what is ours already it is a question.
        let ip = match is_probe {
            true if self.addresses.is_ours(packet.target_ip) => return Ok(()),
            true => packet.target_ip,
            false => packet.sender_ip,
        };
        if !self.addresses.is_claimed(ip) {
            return Ok(());
        }
        match self.addresses.on_conflict(now, ip, &self.config) {
            Verdict::Known => {}
            Verdict::Defended | Verdict::Lost => self.tell(Event::Conflict { ip, mac: packet.sender_mac }),
        }
        Err(Discard::Conflict)
    }

    /// Believes a sender that is known or asked for.
    fn learn(&mut self, now: Instant, ip: Ipv4Addr, mac: MacAddress) -> Result<(), Discard> {
        let index = self.cache.find(ip).ok_or(Discard::Unsolicited)?;
        let entry = self.cache.get_mut(index).ok_or(Discard::Unsolicited)?;
        match entry.state {
            State::Static if entry.mac == mac => return Ok(()),
            State::Static => return Err(Discard::Pinned),
            State::Resolved if entry.until <= now => return Err(Discard::Unsolicited),
            State::Resolved => {}
            State::Due | State::Waiting | State::Failed => {
                entry.used = now;
                self.cache.move_to(index, State::Resolved);
            }
            State::Free => return Err(Discard::Unsolicited),
        }
        if let Some(entry) = self.cache.get_mut(index) {
            entry.mac = mac;
            entry.tries = 0;
            entry.until = now + self.config.lifetime;
            entry.refresh = entry.until - self.config.refresh_before;
        }
        self.pending.release(ip, mac);
        Ok(())
    }

    fn answers(&self, packet: &Parsed) -> bool {
        // A proxy must not answer those who ask for an address in order to take it: that would be a conflict.
        let as_proxy = self.config.answer_for_all
            && !packet.sender_ip.is_unspecified()
            && packet.sender_ip != packet.target_ip
            && !self.addresses.is_claimed(packet.target_ip);
        as_proxy || self.addresses.is_ours(packet.target_ip)
    }

    fn answer(&mut self, packet: &Parsed) -> Result<(), Discard> {
        let reply = Message::reply(packet.target_ip, (packet.sender_mac, packet.sender_ip));
        self.messages.push(reply).map_err(|_| Discard::Busy)
    }
}
