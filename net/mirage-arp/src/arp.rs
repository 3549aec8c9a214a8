//! The machine, and what it does when time passes.

use core::net::Ipv4Addr;

use mirage_clock::Instant;
use mirage_net::MacAddress;
use mirage_protocols::Ethernet;

use crate::address::{AddressesFull, Claim};
use crate::addresses::Addresses;
use crate::cache::Cache;
use crate::config::Config;
use crate::entry::{CacheFull, State};
use crate::event::{Event, UnresolvedPacket};
use crate::over::ArpOver;
use crate::pending::PendingPackets;
use crate::ring::Ring;
use crate::storage::Storage;
use crate::transmit::Message;

/// Address resolution for one link.
///
/// Four verbs and a queue of events: [`input`](Self::input) takes packets, [`poll_transmit`](Self::poll_transmit)
/// sends what is due, [`handle_timeout`](Self::handle_timeout) is called when [`poll_timeout`](Self::poll_timeout)
/// has come, and [`next_event`](Self::next_event) tells what the stack above should hear. Packets go out with
/// [`send`](Self::send), or through [`over`](Self::over) where a [`Neighbours`](mirage_protocols::Neighbours) is
/// asked for.
#[derive(Debug)]
pub struct Arp<'s> {
    pub(crate) config: Config,
    pub(crate) cache: Cache<'s>,
    pub(crate) addresses: Addresses<'s>,
    pub(crate) pending: PendingPackets<'s>,
    pub(crate) messages: Ring<'s, Message>,
    events: Ring<'s, Event>,
}

impl<'s> Arp<'s> {
    /// A machine that knows nobody and has no address. `secret` is random and new for each boot: who does not
    /// know it can neither choose addresses that collide in the cache nor tell when probes are sent.
    #[inline(never)]
    pub fn new(config: Config, storage: Storage<'s>, secret: [u8; 16]) -> Self {
        Self {
            config,
            cache: Cache::new(storage.entries, &secret),
            addresses: Addresses::new(storage.addresses, &secret),
            pending: PendingPackets::new(storage.pending, storage.bytes),
            messages: Ring::new(storage.messages),
            events: Ring::new(storage.events),
        }
    }

    /// Takes a link to send on, lent or given.
    #[inline]
    pub fn over<L: Ethernet>(&mut self, now: Instant, link: L) -> ArpOver<'_, 's, L> {
        ArpOver::new(self, now, link)
    }

    /// Claims an address. What is known of neighbours, and every packet that waits for one, stays as it is.
    /// Claiming an address again changes nothing.
    ///
    /// # Errors
    /// [`AddressesFull`] when no slot is free.
    pub fn add_address(&mut self, now: Instant, ip: Ipv4Addr, claim: Claim) -> Result<(), AddressesFull> {
        self.addresses.add(now, ip, claim, &self.config)
    }

    /// Gives an address up; whether it was claimed. Neighbours and waiting packets stay.
    pub fn remove_address(&mut self, ip: Ipv4Addr) -> bool {
        self.addresses.remove(ip)
    }

    /// Whether `ip` is ours: claimed, and probed if that was asked for.
    pub fn has_address(&self, ip: Ipv4Addr) -> bool {
        self.addresses.is_ours(ip)
    }

    /// Sets a neighbour by hand: no packet changes it, and it never expires. Packets that wait for it go out.
    ///
    /// # Errors
    /// [`CacheFull`] when all entries were set by hand, or there are none.
    pub fn set_static(&mut self, ip: Ipv4Addr, mac: MacAddress) -> Result<(), CacheFull> {
        let index = match self.cache.find(ip) {
            Some(index) => index,
            None => {
                if self.cache.front(State::Free).is_none() {
                    self.evict_any();
                }
                self.cache.insert(ip, State::Static).ok_or(CacheFull)?
            }
        };
        if let Some(entry) = self.cache.get_mut(index) {
            entry.mac = mac;
        }
        self.cache.move_to(index, State::Static);
        self.pending.release(ip, mac);
        Ok(())
    }

    /// Forgets a neighbour that was set by hand; whether there was one.
    pub fn remove_static(&mut self, ip: Ipv4Addr) -> bool {
        let Some(index) = self.cache.find(ip) else { return false };
        let is_static = self.cache.get(index).is_some_and(|entry| entry.state == State::Static);
        if is_static {
            self.cache.remove(index);
        }
        is_static
    }

    /// The hardware address of a neighbour, if it is known now. Does not count as use and sends nothing.
    pub fn lookup(&mut self, now: Instant, ip: Ipv4Addr) -> Option<MacAddress> {
        let index = self.cache.find(ip)?;
        let entry = self.cache.get(index)?;
        match entry.state {
            State::Static => Some(entry.mac),
            State::Resolved if now < entry.until => Some(entry.mac),
            _ => None,
        }
    }

    /// How many packets wait, for their target's address or for the device.
    pub fn pending(&self) -> usize {
        self.pending.count()
    }

    /// How many waiting packets were dropped to make room for later ones.
    pub fn dropped(&self) -> u64 {
        self.pending.dropped()
    }

    /// Whether [`next_event`](Self::next_event) has one.
    #[inline]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next event, oldest first.
    pub fn next_event(&mut self) -> Option<Event> {
        self.poll_event(|event, _| event)
    }

    /// Like [`next_event`](Self::next_event), and with [`Event::Unresolved`] also lends the first packet that was
    /// lost, if any waited: an IP layer tells its sender that the host is unreachable.
    pub fn poll_event<R>(&mut self, take: impl FnOnce(Event, Option<UnresolvedPacket<'_>>) -> R) -> Option<R> {
        let event = self.events.pop()?;
        let Event::Unresolved(ip) = event else { return Some(take(event, None)) };
        let lost = self.pending.lost(ip).map(|(ethertype, bytes)| UnresolvedPacket { ethertype, bytes });
        let result = take(event, lost);
        self.pending.forget_lost(ip);
        Some(result)
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do. Constant time.
    #[inline]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.cache.front(State::Waiting).and_then(|index| self.cache.get(index)).map(|entry| entry.until);
        match (waiting, self.addresses.poll_timeout()) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        }
    }

    /// Makes requests due whose answer is missing, gives targets up after the last, and goes on with claims of
    /// addresses.
    ///
    /// Only looks at what is due: all requests wait equally long, so they are in order. Entries that have expired
    /// are noticed when they are asked for.
    #[inline(never)]
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(index) = self.cache.front(State::Waiting)
            && let Some(&entry) = self.cache.get(index)
            && entry.until <= now
        {
            if entry.tries >= self.config.attempts.max(1) {
                self.cache.move_to(index, State::Failed);
                if let Some(entry) = self.cache.get_mut(index) {
                    entry.until = now + self.config.unreachable_for;
                }
                self.report_unresolved(entry.ip);
            } else {
                self.cache.move_to(index, State::Due);
            }
        }
        let (events, pending) = (&mut self.events, &mut self.pending);
        self.addresses.handle_timeout(now, &self.config, |ip| tell(events, pending, Event::Ready(ip)));
    }

    /// Notes an event; in a full queue the oldest is forgotten, with the packet that was kept for it.
    pub(crate) fn tell(&mut self, event: Event) {
        tell(&mut self.events, &mut self.pending, event);
    }

    /// The packets that wait for `ip` are lost.
    pub(crate) fn report_unresolved(&mut self, ip: Ipv4Addr) {
        self.tell(Event::Unresolved(ip));
        let told = !self.events.is_empty();
        self.pending.lose(ip, told);
    }
}

fn tell(events: &mut Ring<'_, Event>, pending: &mut PendingPackets<'_>, event: Event) {
    if events.is_full()
        && let Some(Event::Unresolved(ip)) = events.pop()
    {
        pending.forget_lost(ip);
    }
    // Without any storage for events nobody wants to be told.
    _ = events.push(event);
}
