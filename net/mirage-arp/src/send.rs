//! IP packets on their way out.

use core::hint::cold_path;
use core::net::Ipv4Addr;

use mirage_clock::{Duration, Instant};
use mirage_ethernet::multicast_mac;
use mirage_net::{FrameWriter, MacAddress, SendError};
use mirage_protocols::{EtherType, Ethernet, HopPacket, LinkHeader, LinkPacket, NextHop};

use crate::arp::Arp;
use crate::entry::{Entry, State};
use crate::pending::Pending;
use crate::transmit::Message;

impl Arp<'_> {
    /// Sends what `fill` writes to the next hop: straight into the device's buffer when its hardware address is
    /// known, otherwise into our memory, from where it goes as soon as the neighbour has answered.
    ///
    /// # Errors
    /// - [`SendError::Full`]: the device has no free buffer; `fill` was not called.
    /// - [`SendError::Unresolved`]: the neighbour did not answer a moment ago, cannot be one, or no memory was lent
    ///   to keep a packet of this length; `fill` was not called. In the last case it is being asked for.
    /// - [`SendError::TooLong`]: longer than the MTU, or `fill` wrote more than it said.
    /// - Those of the link.
    #[inline]
    pub fn send(
        &mut self,
        now: Instant,
        packet: HopPacket,
        ethertype: EtherType,
        link: &mut impl Ethernet,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError> {
        let HopPacket { to, len, checksum, segment_size } = packet;
        let destination = match to {
            NextHop::Neighbour(ip) if self.cache.is_fresh(now, ip) => self.cache.last(),
            _ => match self.resolve(now, to, link)? {
                Ok(mac) => mac,
                Err(ip) => {
                    let too_long = len > link.mtu() && segment_size.is_none();
                    let written = FrameWriter::fill(self.hold(now, ip, len, too_long)?, fill);
                    let len = written.ok_or(SendError::TooLong)?.len();
                    self.pending.keep(Pending::waiting(ip, ethertype, len, checksum, segment_size));
                    return Ok(());
                }
            },
        };
        link.send(LinkPacket { destination, ethertype, len, checksum, segment_size }, fill)
    }

    /// The header of IPv4 packets to `ip` if it was sent to last, and nothing has to be done about it.
    #[inline]
    pub(crate) fn header(&self, now: Instant, ip: Ipv4Addr) -> Option<LinkHeader> {
        if !self.cache.is_fresh(now, ip) {
            cold_path();
            return None;
        }
        self.cache.header()
    }

    /// The address to send to, after what has waited for it; or whose it is that is to be found.
    #[inline(never)]
    fn resolve(
        &mut self,
        now: Instant,
        to: NextHop,
        link: &mut impl Ethernet,
    ) -> Result<Result<MacAddress, Ipv4Addr>, SendError> {
        let mac = match to {
            NextHop::Neighbour(ip) => match self.known(now, ip, link) {
                Some(mac) => mac,
                None => return Ok(Err(ip)),
            },
            NextHop::Group(ip) => multicast_mac(ip),
            NextHop::Broadcast => MacAddress::BROADCAST,
        };
        self.transmit_released(link)?;
        Ok(Ok(mac))
    }

    /// The address of a neighbour to send to, and notes that it was used: once a second is enough.
    fn known(&mut self, now: Instant, ip: Ipv4Addr, link: &impl Ethernet) -> Option<MacAddress> {
        let index = self.cache.find(ip)?;
        let &Entry { mac, state, used, until, refresh, .. } = self.cache.get(index)?;
        let fresh_until = match state {
            State::Static => Instant::MAX,
            State::Resolved if now < until => {
                if now >= refresh {
                    self.refresh(now, index, ip, mac);
                }
                if now.since(used) >= Duration::from_secs(1) {
                    self.cache.used(index, now);
                }
                let &Entry { used, refresh, .. } = self.cache.get(index)?;
                until.min(refresh).min(used + Duration::from_secs(1))
            }
            _ => return None,
        };
        // What waited for a neighbour goes first, so that packets to one stay in order: not before the way is clear.
        if !self.pending.any_going() {
            self.cache.keep_fresh(ip, mac, fresh_until, link.header(mac, EtherType::IPV4));
        }
        Some(mac)
    }

    /// Asks a neighbour again that is in use and about to expire; by unicast, so that nobody else is bothered (RFC
    /// 1122 §2.3.2.1 (2)).
    fn refresh(&mut self, now: Instant, index: u16, ip: Ipv4Addr, mac: MacAddress) {
        let Some(entry) = self.cache.get_mut(index) else { return };
        if entry.tries >= self.config.attempts {
            // Enough: it serves until it expires.
            entry.refresh = Instant::MAX;
        } else if self.messages.push(Message::refresh((mac, ip))).is_ok() {
            entry.tries += 1;
            entry.refresh = now + self.config.request_interval;
        }
    }

    /// Space for a packet to a neighbour that is not known, which is asked for.
    #[cold]
    #[inline(never)]
    fn hold(&mut self, now: Instant, ip: Ipv4Addr, len: usize, too_long: bool) -> Result<&mut [u8], SendError> {
        if too_long {
            return Err(SendError::TooLong);
        }
        self.ask(now, ip)?;
        self.pending.space(ip, len, self.config.max_pending.into()).ok_or(SendError::Unresolved)
    }

    /// Has a neighbour asked for, unless it is already or did not answer a moment ago.
    fn ask(&mut self, now: Instant, ip: Ipv4Addr) -> Result<(), SendError> {
        let Some(index) = self.cache.find(ip) else {
            // To ask for our own address would announce it.
            if ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast() || self.addresses.is_claimed(ip) {
                return Err(SendError::Unresolved);
            }
            return self.admit(now, ip).map(drop).ok_or(SendError::Unresolved);
        };
        let Some(entry) = self.cache.get_mut(index) else { return Err(SendError::Unresolved) };
        match entry.state {
            State::Failed if now < entry.until => return Err(SendError::Unresolved),
            // It has expired, or it is time to try again.
            State::Resolved | State::Failed => {
                entry.tries = 0;
                self.cache.move_to(index, State::Due);
            }
            State::Due | State::Waiting | State::Static | State::Free => {}
        }
        Ok(())
    }
}
