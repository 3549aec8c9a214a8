//! How many challenges and resets may be sent (RFC 5961 §7).
//!
//! A limit that all connections share tells a stranger whether others used it up: counting the answers to his own
//! connection, he finds out the numbers of somebody else's (CVE-2016-5696). So each connection has its own limit, and the
//! shared one is drawn anew each second.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use mirage_clock::{Duration, Instant};
use mirage_secret::Secret;

use crate::keyed;

/// What all connections together may send.
#[derive(Clone, Debug)]
pub(crate) struct Challenges {
    key: Secret,
    per_second: u32,
    /// The second that `left` is for.
    second: u64,
    left: u32,
}

/// When a connection last sent one, in four bytes: milliseconds plus one, modulo 2³²; 0 for never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PerConnection(u32);

impl Challenges {
    /// At most about `per_second` in all: each second draws a number from half of it to one and a half.
    pub(crate) fn new(key: Secret, per_second: u32) -> Self {
        Self { key, per_second, second: u64::MAX, left: 0 }
    }

    /// Whether one may be sent now, counted against all.
    pub(crate) fn allow(&mut self, now: Instant) -> bool {
        let second = now.as_nanos() / Duration::from_secs(1).as_nanos();
        if second != self.second {
            self.second = second;
            self.left = self.draw(second);
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }

    /// Whether a connection that sent its last at `last` may send one now: `interval` must lie between. Counts it against
    /// the connection and all.
    pub(crate) fn allow_for(&mut self, now: Instant, interval: Duration, last: &mut PerConnection) -> bool {
        let millis = now.as_millis() as u32;
        let passed = millis.wrapping_add(1).wrapping_sub(last.0);
        if last.0 != 0 && u64::from(passed) < interval.as_millis() {
            return false;
        }
        let allowed = self.allow(now);
        if allowed {
            *last = PerConnection(millis.wrapping_add(1).max(1));
        }
        allowed
    }

    fn draw(&self, second: u64) -> u32 {
        let nowhere = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
        let drawn = keyed::hash(&self.key, nowhere, nowhere, second) % (u64::from(self.per_second) + 1);
        (self.per_second - self.per_second / 2).saturating_add(drawn as u32)
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::collections::BTreeSet;

    const INTERVAL: Duration = Duration::from_millis(500);

    fn in_second(challenges: &mut Challenges, second: u64) -> usize {
        (0..10_000).filter(|nanos| challenges.allow(Instant::from_nanos(second * 1_000_000_000 + nanos))).count()
    }

    #[test]
    fn one_connection_gets_one_each_interval() {
        let mut challenges = Challenges::new(Secret::new([1; 16]), 1000);
        let mut last = PerConnection::default();
        let sent: usize = (0..10_000_u64)
            .filter(|milli| challenges.allow_for(Instant::from_millis(*milli), INTERVAL, &mut last))
            .count();
        assert_eq!(sent, 20);
    }

    #[test]
    fn the_first_is_allowed_at_the_start_of_the_clock() {
        let mut challenges = Challenges::new(Secret::new([1; 16]), 1000);
        assert!(challenges.allow_for(Instant::ZERO, INTERVAL, &mut PerConnection::default()));
    }

    #[test]
    fn all_together_are_limited_by_a_number_that_changes_each_second() {
        let mut challenges = Challenges::new(Secret::new([1; 16]), 1000);
        let limits: BTreeSet<usize> = (0..50).map(|second| in_second(&mut challenges, second)).collect();
        assert!(limits.iter().all(|limit| (500..=1500).contains(limit)));
        assert!(limits.len() > 40, "{}", limits.len());
    }

    #[test]
    fn another_key_draws_other_limits() {
        let draw = |key| in_second(&mut Challenges::new(Secret::new([key; 16]), 1000), 1);
        assert_ne!((draw(1), draw(2)), (draw(2), draw(3)));
    }

    #[test]
    fn a_refused_connection_is_not_charged() {
        let mut challenges = Challenges::new(Secret::new([1; 16]), 0);
        let mut last = PerConnection::default();
        let now = Instant::from_secs(5);
        while challenges.allow(now) {}
        assert!(!challenges.allow_for(now, INTERVAL, &mut last));
        assert_eq!(last, PerConnection::default());
    }
}
