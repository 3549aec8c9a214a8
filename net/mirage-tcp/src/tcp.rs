//! The machine.

use mirage_clock::Instant;
use mirage_protocols::{Counts, IcmpError, Ip, Received, SendError};

use crate::discard::REASONS;
use crate::{Config, Discard, Secrets, Stats, Storage};

/// TCP (RFC 9293) as a machine without I/O.
pub struct Tcp<'s> {
    _config: Config,
    _storage: Storage<'s>,
    discards: Counts<Discard, REASONS>,
}

impl<'s> Tcp<'s> {
    /// A machine that lives on `storage`.
    pub fn new(config: Config, storage: Storage<'s>, _secrets: Secrets) -> Self {
        Self { _config: config.clamped(), _storage: storage, discards: Counts::default() }
    }

    /// Takes a segment in. Answers are queued for [`poll_transmit`](Self::poll_transmit).
    ///
    /// # Errors
    /// Why the segment was dropped; it is counted and nothing has to be done.
    pub fn input(&mut self, _now: Instant, _received: &Received<'_>) -> Result<(), Discard> {
        Ok(())
    }

    /// Takes an ICMP error about a segment of ours in (RFC 5927).
    ///
    /// # Errors
    /// Why it was dropped.
    pub fn on_icmp_error(&mut self, _now: Instant, _error: &IcmpError<'_>) -> Result<(), Discard> {
        Ok(())
    }

    /// Sends up to `budget` segments; says whether there are more to send now.
    ///
    /// # Errors
    /// [`SendError::Full`]: the device is full; nothing is lost; call again when it is ready.
    pub fn poll_transmit(&mut self, _now: Instant, _ip: &mut impl Ip, _budget: usize) -> Result<bool, SendError> {
        Ok(false)
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) has something to do.
    pub fn wants_transmit(&self) -> bool {
        false
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do at the earliest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// What the machine did and holds.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    /// How often segments were dropped, and why.
    pub fn discards(&self) -> &Counts<Discard, REASONS> {
        &self.discards
    }
}
