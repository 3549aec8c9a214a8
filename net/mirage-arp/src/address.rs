//! An address of our own, from the first probe to the last announcement (RFC 5227).

use core::fmt;
use core::net::Ipv4Addr;

use mirage_clock::Instant;

/// How an address becomes ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is ours from now on: it is announced at once (gratuitous ARP) and defended.
    AtOnce,
    /// First the link is asked whether somebody has it (RFC 5227 §2.1.1); it takes 4 to 9 s with the default times.
    /// Until [`Event::Ready`](crate::Event::Ready) it is not ours.
    Probe,
}

/// Room for one address of our own.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    pub(crate) ip: Ipv4Addr,
    pub(crate) stage: Stage,
    /// When the stage goes on by itself; `Instant::MAX` while it does not.
    pub(crate) next: Instant,
    /// What has to be sent now.
    pub(crate) due: Option<Broadcast>,
    /// When it may be defended again.
    pub(crate) defend_after: Instant,
}

/// How far the claim of an address has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not ours yet; so many probes were sent.
    Probing(u8),
    /// Ours; so many announcements were sent.
    Announcing(u8),
    /// Ours, and everybody was told.
    Settled,
}

/// What is sent to everybody about an address of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broadcast {
    /// Does anybody have it?
    Probe,
    /// It is ours.
    Announcement,
}

impl Address {
    pub(crate) fn is_ours(&self) -> bool {
        !matches!(self.stage, Stage::Probing(_))
    }
}

/// Every slot for addresses of our own is taken: remove one first, or lend more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressesFull;

impl fmt::Display for AddressesFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no room for another address of our own")
    }
}

impl core::error::Error for AddressesFull {}
