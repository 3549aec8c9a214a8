//! When to ask an idle peer whether it is still there (RFC 9293 §3.8.4).

use mirage_clock::Duration;
use mirage_stack::Keepalive;

/// What the connection should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The peer is gone.
    GiveUp,
    /// Ask it now.
    Probe,
    /// Look again after this span.
    Wait(Duration),
}

/// What a connection keeps of a [`Keepalive`]: 9 bytes, wherever they lie. Times are rounded to milliseconds, at most 49 days.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// `NEVER` where nobody is asked.
    after: [u8; 4],
    interval: [u8; 4],
    probes: u8,
}

const NEVER: u32 = u32::MAX;

impl Schedule {
    pub(crate) const OFF: Self = Self { after: NEVER.to_ne_bytes(), interval: [0; 4], probes: 0 };

    pub(crate) fn new(keepalive: Option<Keepalive>) -> Self {
        let millis = |span: Duration| (span.as_millis().min(u64::from(NEVER - 1)) as u32).to_ne_bytes();
        keepalive.map_or(Self::OFF, |Keepalive { after, interval, probes }| Self {
            after: millis(after),
            interval: millis(interval),
            probes,
        })
    }

    pub(crate) fn keepalive(self) -> Option<Keepalive> {
        let millis = |span: [u8; 4]| Duration::from_millis(u32::from_ne_bytes(span).into());
        let Self { after, interval, probes } = self;
        (after != Self::OFF.after).then(|| Keepalive { after: millis(after), interval: millis(interval), probes })
    }
}

/// Decides from how long the peer has been `silent` and how many probes were `sent` since; gives how many that are then.
///
/// A late call skips the probes it missed rather than sending them in a burst.
pub(crate) fn next(keepalive: &Keepalive, silent: Duration, sent: u8) -> (Action, u8) {
    let Some(probing) = silent.checked_sub(keepalive.after) else {
        return (Action::Wait(keepalive.after - silent), 0);
    };
    // How many intervals passed; with an interval of zero all of them.
    let passed = probing.as_nanos().checked_div(keepalive.interval.as_nanos()).unwrap_or(u64::MAX);
    let probes = u64::from(keepalive.probes);
    if passed >= probes {
        return (Action::GiveUp, sent);
    }
    // `passed < probes <= 255`: the probe that is due is at most the last.
    let due = passed as u8 + 1;
    if due > sent {
        return (Action::Probe, due);
    }
    (Action::Wait(keepalive.interval.saturating_mul(u64::from(due)) - probing), sent)
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn linux() -> Keepalive {
        Keepalive { after: S(7200), interval: S(75), probes: 9 }
    }

    /// Calls it whenever it asks to be called, until it gives up; the times of the probes and of the end.
    fn run(keepalive: &Keepalive) -> (Vec<u64>, u64) {
        let (mut silent, mut sent, mut probes) = (Duration::ZERO, 0, Vec::new());
        loop {
            let (action, now_sent) = next(keepalive, silent, sent);
            sent = now_sent;
            match action {
                Action::Probe => probes.push(silent.as_secs()),
                Action::Wait(span) => silent += span,
                Action::GiveUp => return (probes, silent.as_secs()),
            }
        }
    }

    #[test]
    fn a_silent_peer_is_asked_nine_times_and_then_given_up() {
        let (probes, end) = run(&linux());
        assert_eq!(probes, (0..9).map(|probe| 7200 + 75 * probe).collect::<Vec<_>>());
        assert_eq!(end, 7200 + 75 * 9);
    }

    #[test]
    fn three_probes_a_second_apart_end_after_four_seconds() {
        assert_eq!(run(&Keepalive { after: S(1), interval: S(1), probes: 3 }), ([1, 2, 3].to_vec(), 4));
    }

    #[test]
    fn missed_probes_are_not_sent_in_a_burst() {
        assert_eq!(next(&linux(), S(7200 + 75 * 3 + 10), 1), (Action::Probe, 4));
        assert_eq!(next(&linux(), S(7200 + 75 * 3 + 10), 4), (Action::Wait(S(65)), 4));
    }

    #[test]
    fn a_peer_silent_for_too_long_is_given_up_at_once() {
        assert_eq!(next(&linux(), S(1_000_000), 0), (Action::GiveUp, 0));
    }

    #[test]
    fn a_peer_that_speaks_again_starts_anew() {
        assert_eq!(next(&linux(), S(10), 5), (Action::Wait(S(7190)), 0));
    }

    #[test]
    fn an_interval_of_zero_gives_up_at_once_instead_of_dividing_by_it() {
        let keepalive = Keepalive { after: S(1), interval: Duration::ZERO, probes: 3 };
        assert_eq!(next(&keepalive, S(1), 0).0, Action::GiveUp);
    }

    proptest! {
        /// It asks for a later call every time it waits, so nobody spins, and never sends more than it may.
        #[test]
        fn every_wait_is_longer_than_nothing(after: u32, interval in 1_u32.., probes: u8, silent: u64, sent: u8) {
            let keepalive = Keepalive {
                after: Duration::from_nanos(after.into()),
                interval: Duration::from_nanos(interval.into()),
                probes,
            };
            match next(&keepalive, Duration::from_nanos(silent), sent) {
                (Action::Wait(span), _) => prop_assert!(!span.is_zero()),
                (Action::Probe, sent) => prop_assert!(sent <= probes),
                (Action::GiveUp, _) => prop_assert!(silent >= u64::from(after)),
            }
        }
    }
}
