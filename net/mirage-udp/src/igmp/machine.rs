//! The machine: memberships, and when to speak of them.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};

use managed::ManagedSlice;
use mirage_clock::{Duration, Instant};
use mirage_net::SendError;
use mirage_protocols::{Counts, Ip, Packet, Protocol, Reason, Received};

use super::GroupSlot;
use super::group::Saying;
use super::wire::{self, EVERYBODY, Message};
use mirage_secret::Draws;

mirage_protocols::reasons! {
    /// Why a message was dropped.
    pub enum Discard {
        /// Shorter than its header.
        TooShort = "too_short",
        /// The checksum is wrong.
        BadChecksum = "bad_checksum",
        /// It crossed a router: its time to live was not 1 (RFC 3376 §4).
        BadTtl = "bad_ttl",
        /// A query of a length that no version has, or about an address that is no group.
        BadQuery = "bad_query",
        /// No message of IGMP.
        UnknownType = "unknown_type",
    }
}

/// Why a group was not joined or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// Not a multicast address.
    NotAGroup,
    /// Nobody here is in that group.
    NotMember,
    /// The table of groups is full: leave one, or lend more slots.
    TableFull,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAGroup => "not a multicast address",
            Self::NotMember => "not a member of that group",
            Self::TableFull => "the table of groups is full",
        })
    }
}

impl core::error::Error for JoinError {}

impl mirage_stack::Error for JoinError {
    fn kind(&self) -> mirage_stack::ErrorKind {
        match self {
            Self::NotAGroup | Self::NotMember => mirage_stack::ErrorKind::AddressNotAvailable,
            Self::TableFull => mirage_stack::ErrorKind::OutOfResources,
        }
    }
}

/// IGMP of a host on one interface.
#[derive(Debug)]
pub struct Igmp<'s> {
    groups: ManagedSlice<'s, GroupSlot>,
    /// Until then routers get version 2.
    old_until: Instant,
    /// Not later than the earliest `due`; exact after `poll_transmit` and after every change.
    next_due: Instant,
    draws: Draws,
    discards: Counts<Discard, { Discard::ALL.len() }>,
    /// `None` until the first group is joined.
    spoken: Option<&'static Verbs>,
}

impl<'s> Igmp<'s> {
    /// A host in no group, with room for as many as there are slots. `secret` must be unpredictable.
    pub fn new(groups: impl Into<ManagedSlice<'s, GroupSlot>>, secret: [u8; 16]) -> Self {
        let mut groups = groups.into();
        groups.fill(GroupSlot::EMPTY);
        Self {
            groups,
            old_until: Instant::ZERO,
            next_due: Instant::MAX,
            draws: Draws::new(secret),
            discards: Counts::default(),
            spoken: None,
        }
    }

    /// Joins a group; each `join` needs one [`leave`](Self::leave). The first is told to routers, except of 224.0.0.1.
    ///
    /// # Errors
    /// [`JoinError::NotAGroup`], [`JoinError::TableFull`].
    pub fn join(&mut self, group: Ipv4Addr) -> Result<(), JoinError> {
        if !group.is_multicast() {
            return Err(JoinError::NotAGroup);
        }
        self.spoken = Some(&VERBS);
        let known = self.groups.iter().position(|slot| !slot.is_free() && slot.group == group);
        let place = known.or_else(|| self.groups.iter().position(GroupSlot::is_free));
        let slot = place.and_then(|place| self.groups.get_mut(place)).ok_or(JoinError::TableFull)?;
        slot.group = group;
        slot.users = slot.users.saturating_add(1);
        if slot.users == 1 && group != EVERYBODY {
            slot.say(Saying::Joined, ROBUSTNESS - 1, Instant::ZERO);
            self.next_due = Instant::ZERO;
        }
        Ok(())
    }

    /// Undoes one [`join`](Self::join). The last is told to routers.
    ///
    /// # Errors
    /// [`JoinError::NotMember`].
    pub fn leave(&mut self, group: Ipv4Addr) -> Result<(), JoinError> {
        let mut slots = self.groups.iter_mut();
        let slot = slots.find(|slot| slot.users > 0 && slot.group == group).ok_or(JoinError::NotMember)?;
        slot.users -= 1;
        if slot.users == 0 && group != EVERYBODY {
            slot.say(Saying::Left, ROBUSTNESS - 1, Instant::ZERO);
            self.next_due = Instant::ZERO;
        }
        Ok(())
    }

    /// Whether we are in `group`; always in 224.0.0.1.
    pub fn is_member(&self, group: Ipv4Addr) -> bool {
        group == EVERYBODY || self.groups.iter().any(|slot| slot.users > 0 && slot.group == group)
    }

    /// Takes a message. Before the first [`join`](Self::join) there is nothing to say to any, and they are not looked at.
    ///
    /// # Errors
    /// The reason why it was dropped; it is already counted.
    pub fn input(&mut self, now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        match self.spoken {
            Some(verbs) => (verbs.input)(self, now, received),
            None => Ok(()),
        }
    }

    fn take(&mut self, now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        let message = if received.ttl == 1 { wire::parse(received.payload) } else { Err(Discard::BadTtl) };
        match message {
            Ok(Message::Query { group, within, old }) => self.on_query(now, group, within, old),
            Ok(Message::Report(group)) => self.on_report(now, group),
            Ok(Message::Other) => {}
            Err(reason) => {
                self.discards.count(reason);
                return Err(reason);
            }
        }
        Ok(())
    }

    /// Sends the reports that are due, one packet for each group.
    ///
    /// # Errors
    /// [`SendError::Full`] and [`SendError::Disconnected`]; what was not sent is due next time. Other errors of the IP layer
    /// lose a report, as the link may.
    #[inline]
    pub fn poll_transmit(&mut self, now: Instant, ip: &mut impl Ip) -> Result<(), SendError> {
        if self.next_due > now {
            return Ok(());
        }
        let Some(verbs) = self.spoken else { return Ok(()) };
        while let Some(report) = (verbs.report)(self, now) {
            if let Err(error @ (SendError::Full | SendError::Disconnected)) = send(ip, &report) {
                return Err(error);
            }
            (verbs.on_sent)(self, now, report.place);
        }
        Ok(())
    }

    /// The first report that is due.
    fn report(&mut self, now: Instant) -> Option<Report> {
        let due = self.groups.iter().position(|slot| slot.due <= now);
        let Some((place, slot)) = due.and_then(|place| Some((place, self.groups.get(place)?))) else {
            self.next_due = self.first_due();
            return None;
        };
        let mut message = [0; 16];
        let (to, len) = if self.old_until > now {
            let (to, bytes) = wire::version2(slot.group, slot.saying);
            message[..8].copy_from_slice(&bytes);
            (to, bytes.len())
        } else {
            let (to, bytes) = wire::version3(slot.group, slot.saying);
            message = bytes;
            (to, bytes.len())
        };
        Some(Report { place, to, message, len })
    }

    /// The report about the group at `place` was sent, or is lost.
    fn on_sent(&mut self, now: Instant, place: usize) {
        let old = self.old_until > now;
        let Some(slot) = self.groups.get_mut(place) else { return };
        match slot.repeats.checked_sub(1) {
            // RFC 2236 §3: a leave is said once.
            Some(repeats) if !(old && slot.saying == Saying::Left) => {
                let interval = if old { UNSOLICITED_V2 } else { UNSOLICITED_V3 };
                // Never at once: a group whose turn is over waits for the others.
                let pause = random(&mut self.draws, interval).max(Duration::from_nanos(1));
                slot.say(slot.saying, repeats, now + pause);
            }
            _ => slot.be_silent(),
        }
    }

    fn first_due(&self) -> Instant {
        self.groups.iter().fold(Instant::MAX, |next, slot| next.min(slot.due))
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        (self.next_due != Instant::MAX).then_some(self.next_due)
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) has something to do.
    #[inline]
    pub fn is_due(&self, now: Instant) -> bool {
        self.next_due <= now
    }

    /// Nothing but sending happens in time, and [`poll_transmit`](Self::poll_transmit) knows what is due.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// What was dropped so far, by reason.
    pub const fn discards(&self) -> &Counts<Discard, { Discard::ALL.len() }> {
        &self.discards
    }

    fn on_query(&mut self, now: Instant, group: Option<Ipv4Addr>, within: Duration, old: bool) {
        if old {
            // RFC 3376 §8.12: robustness times the query interval, and one response interval.
            self.old_until = now + QUERY_INTERVAL * u64::from(ROBUSTNESS) + within;
        }
        for slot in self.groups.iter_mut() {
            let asked = group.is_none_or(|group| group == slot.group);
            if !asked || slot.users == 0 || slot.group == EVERYBODY {
                continue;
            }
            let due = now + random(&mut self.draws, within);
            match slot.saying {
                Saying::Nothing => slot.say(Saying::Present, 0, due),
                // RFC 3376 §5.2: the earlier of both answers.
                _ => slot.due = slot.due.min(due),
            }
            self.next_due = self.next_due.min(slot.due);
        }
    }

    /// RFC 2236 §3: in version 2 one host of a group answers for all.
    fn on_report(&mut self, now: Instant, group: Ipv4Addr) {
        if self.old_until <= now {
            return;
        }
        let mut slots = self.groups.iter_mut();
        if let Some(slot) = slots.find(|slot| slot.group == group && slot.saying == Saying::Present) {
            slot.be_silent();
        }
        self.next_due = self.first_due();
    }
}

/// A report on its way out.
struct Report {
    /// Which slot it is about.
    place: usize,
    to: Ipv4Addr,
    message: [u8; 16],
    len: usize,
}

/// What a host in no group does not need, behind pointers so that only [`Igmp::join`] names it: a program that never joins
/// does not hold it.
struct Verbs {
    input: for<'s> fn(&mut Igmp<'s>, Instant, &Received<'_>) -> Result<(), Discard>,
    report: for<'s> fn(&mut Igmp<'s>, Instant) -> Option<Report>,
    on_sent: for<'s> fn(&mut Igmp<'s>, Instant, usize),
}

static VERBS: Verbs = Verbs {
    input: |igmp, now, received| igmp.take(now, received),
    report: |igmp, now| igmp.report(now),
    on_sent: |igmp, now, place| igmp.on_sent(now, place),
};

impl fmt::Debug for Verbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verbs")
    }
}

fn send(ip: &mut impl Ip, report: &Report) -> Result<(), SendError> {
    let message = report.message.get(..report.len).unwrap_or_default();
    let to = IpAddr::V4(report.to);
    // RFC 3376 §4.2.13: 0.0.0.0 where the host has no address yet.
    let source = ip.source(to).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let packet = Packet { ttl: Some(1), router_alert: true, ..Packet::new(source, to, Protocol::IGMP, message.len()) };
    ip.send(packet, |out| out.put(message))
}

/// A random span up to `most`, in milliseconds.
fn random(draws: &mut Draws, most: Duration) -> Duration {
    Duration::from_millis(draws.below(most.as_millis() + 1))
}

/// How often a change is told, in case one is lost (RFC 3376 §8.1).
const ROBUSTNESS: u8 = 2;
/// RFC 3376 §8.2.
const QUERY_INTERVAL: Duration = Duration::from_secs(125);
/// RFC 3376 §8.11.
const UNSOLICITED_V3: Duration = Duration::from_secs(1);
/// RFC 2236 §8.10.
const UNSOLICITED_V2: Duration = Duration::from_secs(10);
