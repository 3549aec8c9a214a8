//! What the paths to some destinations take, for all connections that lead there (RFC 1191 §6.3, RFC 8201 §5.3).

use core::net::{IpAddr, Ipv4Addr};

use mirage_clock::{Duration, Instant};

/// Destinations to which the path takes less than our own link: at most [`Paths::CAPACITY`], the one known longest gives way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paths {
    known: [Known; Self::CAPACITY],
    /// When the last of them is forgotten.
    until: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    destination: IpAddr,
    /// Payload, options included, of the longest segment that the path takes.
    takes: u16,
    /// When it is forgotten.
    until: Instant,
}

impl Paths {
    /// How many destinations are remembered.
    pub(crate) const CAPACITY: usize = 16;

    pub(crate) const NONE: Self = Self {
        known: [Known { destination: IpAddr::V4(Ipv4Addr::UNSPECIFIED), takes: 0, until: Instant::ZERO };
            Self::CAPACITY],
        until: Instant::ZERO,
    };

    /// What the path to `destination` takes and until when that is believed, if it is known.
    pub(crate) fn to(&self, now: Instant, destination: IpAddr) -> Option<(u16, Instant)> {
        if self.until <= now {
            return None;
        }
        let known = self.known.iter().find(|known| known.until > now && known.destination == destination)?;
        Some((known.takes, known.until))
    }

    /// Remembers what the path to `destination` takes; gives until when.
    pub(crate) fn remember(&mut self, now: Instant, destination: IpAddr, takes: u16) -> Instant {
        let until = now + LIFETIME;
        self.until = until;
        let old = self.known.iter().position(|known| known.destination == destination);
        let oldest = || (0..Self::CAPACITY).min_by_key(|place| self.known[*place].until).unwrap_or(0);
        self.known[old.unwrap_or_else(oldest)] = Known { destination, takes, until };
        until
    }
}

/// RFC 1191 §6.3: "a timeout value of about 10 minutes".
pub(crate) const LIFETIME: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, host))
    }

    #[test]
    fn a_path_is_known_for_ten_minutes() {
        let (mut paths, now) = (Paths::NONE, Instant::from_secs(5));
        paths.remember(now, address(1), 1000);
        let later = now + Duration::from_secs(599);
        assert_eq!(paths.to(later, address(1)).map(|(takes, _)| takes), Some(1000));
        assert_eq!(paths.to(later, address(2)), None);
        assert_eq!(paths.to(now + LIFETIME, address(1)), None);
    }

    #[test]
    fn the_one_known_longest_gives_way() {
        let mut paths = Paths::NONE;
        for host in 1..=17 {
            paths.remember(Instant::from_secs(host.into()), address(host), 1000);
        }
        paths.remember(Instant::from_secs(20), address(17), 900);
        let now = Instant::from_secs(30);
        assert_eq!(paths.to(now, address(1)), None);
        assert!((2..=17).all(|host| paths.to(now, address(host)).is_some()));
        assert_eq!(paths.to(now, address(17)).map(|(takes, _)| takes), Some(900));
    }
}
