//! Claiming, announcing and defending our own addresses (RFC 5227). There are few: they are a plain list.

use core::net::Ipv4Addr;

use managed::ManagedSlice;
use mirage_clock::{Duration, Instant};
use mirage_secret::Draws;

use crate::address::{Address, AddressesFull, Broadcast, Claim, Stage};
use crate::config::Config;

/// All our own addresses.
#[derive(Debug)]
pub(crate) struct Addresses<'s> {
    list: ManagedSlice<'s, Option<Address>>,
    /// Invariant: how many have something due.
    due: usize,
    /// Invariant: the earliest `next` of all; `Instant::MAX` for none.
    next: Instant,
    /// Probed addresses that somebody had, since the last that nobody had.
    conflicts: u8,
    /// Longer inputs than the addresses in the cache, which has the same secret.
    draws: Draws,
}

/// What a conflicting packet led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing that has to be told: it was defended a moment ago.
    Known,
    /// It is ours and will be defended.
    Defended,
    /// It was being probed and is gone.
    Lost,
}

impl<'s> Addresses<'s> {
    pub(crate) fn new(mut list: ManagedSlice<'s, Option<Address>>, secret: &[u8; 16]) -> Self {
        list.fill(None);
        Self { list, due: 0, next: Instant::MAX, conflicts: 0, draws: Draws::new(*secret) }
    }

    pub(crate) fn is_ours(&self, ip: Ipv4Addr) -> bool {
        self.list.iter().flatten().any(|address| address.ip == ip && address.is_ours())
    }

    pub(crate) fn is_claimed(&self, ip: Ipv4Addr) -> bool {
        self.list.iter().flatten().any(|address| address.ip == ip)
    }

    /// The address of ours that has most leading bits in common with `target`: that is the one on its network.
    pub(crate) fn nearest(&self, target: Ipv4Addr) -> Option<Ipv4Addr> {
        let ours = self.list.iter().flatten().filter(|address| address.is_ours());
        ours.map(|address| address.ip).min_by_key(|ip| ip.to_bits() ^ target.to_bits())
    }

    pub(crate) fn add(
        &mut self,
        now: Instant,
        ip: Ipv4Addr,
        claim: Claim,
        config: &Config,
    ) -> Result<(), AddressesFull> {
        if self.is_claimed(ip) {
            return Ok(());
        }
        let address = match claim {
            Claim::AtOnce => Address {
                ip,
                stage: Stage::Announcing(0),
                next: Instant::MAX,
                due: Some(Broadcast::Announcement),
                defend_after: now,
            },
            Claim::Probe => {
                // RFC 5227 §2.1.1: wait a random time "in the range zero to PROBE_WAIT seconds".
                let mut wait = self.between(Duration::ZERO, config.probe_wait);
                if self.conflicts >= config.max_conflicts {
                    wait += config.rate_limit_interval;
                }
                Address { ip, stage: Stage::Probing(0), next: now + wait, due: None, defend_after: now }
            }
        };
        let slot = self.list.iter_mut().find(|slot| slot.is_none()).ok_or(AddressesFull)?;
        *slot = Some(address);
        self.due += usize::from(address.due.is_some());
        self.find_next();
        Ok(())
    }

    pub(crate) fn remove(&mut self, ip: Ipv4Addr) -> bool {
        let Some(slot) = self.list.iter_mut().find(|slot| slot.is_some_and(|address| address.ip == ip)) else {
            return false;
        };
        self.due -= usize::from(slot.take().is_some_and(|address| address.due.is_some()));
        self.find_next();
        true
    }

    /// Somebody else says that `ip`, which is claimed, is theirs.
    pub(crate) fn on_conflict(&mut self, now: Instant, ip: Ipv4Addr, config: &Config) -> Verdict {
        let Some(address) = self.list.iter_mut().flatten().find(|address| address.ip == ip) else {
            return Verdict::Known;
        };
        if !address.is_ours() {
            self.conflicts = self.conflicts.saturating_add(1);
            self.remove(ip);
            return Verdict::Lost;
        }
        if now < address.defend_after {
            return Verdict::Known;
        }
        // RFC 5227 §2.4 (c): one announcement, and not again before the interval has passed.
        address.defend_after = now + config.defend_interval;
        self.due += usize::from(address.due.replace(Broadcast::Announcement).is_none());
        Verdict::Defended
    }

    /// Goes on with every claim whose time has come; `ready` is told of those that succeeded.
    pub(crate) fn handle_timeout(&mut self, now: Instant, config: &Config, mut ready: impl FnMut(Ipv4Addr)) {
        for address in self.list.iter_mut().flatten().filter(|address| address.next <= now) {
            address.next = Instant::MAX;
            let broadcast = match address.stage {
                Stage::Probing(sent) if sent < config.probe_num => Broadcast::Probe,
                Stage::Probing(_) => {
                    self.conflicts = 0;
                    address.stage = Stage::Announcing(0);
                    ready(address.ip);
                    Broadcast::Announcement
                }
                Stage::Announcing(_) => Broadcast::Announcement,
                Stage::Settled => continue,
            };
            self.due += usize::from(address.due.replace(broadcast).is_none());
        }
        self.find_next();
    }

    /// When the next claim goes on. It is asked for with every packet, so the answer is kept.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        (self.next != Instant::MAX).then_some(self.next)
    }

    /// Looks at each address, after a change: they are few.
    fn find_next(&mut self) {
        self.next = self.list.iter().flatten().map(|address| address.next).min().unwrap_or(Instant::MAX);
    }

    pub(crate) fn any_due(&self) -> bool {
        self.due > 0
    }

    /// What has to be sent, and about which address.
    pub(crate) fn first_due(&self) -> Option<(Ipv4Addr, Broadcast)> {
        self.list.iter().flatten().find_map(|address| Some((address.ip, address.due?)))
    }

    /// What was due for `ip` was sent.
    pub(crate) fn on_sent(&mut self, now: Instant, ip: Ipv4Addr, config: &Config) {
        let between_probes = self.between(config.probe_min, config.probe_max);
        let Some(address) = self.list.iter_mut().flatten().find(|address| address.ip == ip) else { return };
        self.due -= usize::from(address.due.take().is_some());
        (address.stage, address.next) = match address.stage {
            Stage::Probing(sent) => {
                let sent = sent.saturating_add(1);
                let wait = if sent < config.probe_num { between_probes } else { config.announce_wait };
                (Stage::Probing(sent), now + wait)
            }
            Stage::Announcing(sent) if sent.saturating_add(1) < config.announce_num => {
                (Stage::Announcing(sent + 1), now + config.announce_interval)
            }
            Stage::Announcing(_) | Stage::Settled => (Stage::Settled, Instant::MAX),
        };
        self.find_next();
    }

    /// A random span; nobody who does not know the secret can tell it.
    fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        shortest + Duration::from_nanos(self.draws.below((longest - shortest).as_nanos()))
    }
}
