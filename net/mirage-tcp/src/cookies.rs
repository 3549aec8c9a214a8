//! Answering SYNs without remembering them (RFC 4987 §3.6).
//!
//! When no memory is left for handshakes, all that must be known of one is put into our initial sequence number, which the
//! peer gives back with its acknowledgement. From the top: the period in which it was made (1 bit), the peer's maximum
//! segment size (3 bits, rounded down to one of eight), and 28 bits of a keyed hash over both ends, the peer's number, the
//! period and the size. What else the SYN said goes into the lowest bits of the timestamp that the peer echoes, if it sends
//! timestamps ([`Told`]); otherwise the connection does without.

use core::net::SocketAddr;

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use mirage_secret::Secret;

use crate::keyed;
use crate::options::{MAX_WINDOW_SCALE, SynOptions};

/// Our initial sequence number for a SYN with the number `peer_isn` whose sender takes segments of up to `mss` bytes.
pub(crate) fn encode(
    key: &Secret,
    now: Instant,
    local: SocketAddr,
    remote: SocketAddr,
    peer_isn: SequenceNumber,
    mss: u16,
) -> SequenceNumber {
    // The largest size that is not over the peer's; the smallest for all below.
    let size = SIZES.iter().rposition(|size| *size <= mss).unwrap_or(0) as u32;
    cookie(key, period(now), local, remote, peer_isn, size)
}

/// The peer's maximum segment size if `cookie` was made by [`encode`] for the same ends and number, at least one and at
/// most two periods of 64 s ago.
pub(crate) fn decode(
    key: &Secret,
    now: Instant,
    local: SocketAddr,
    remote: SocketAddr,
    peer_isn: SequenceNumber,
    cookie: SequenceNumber,
) -> Option<u16> {
    let current = period(now);
    // The top bit says whether it is of this period or of the one before.
    let age = (current as u32 ^ (cookie.0 >> 31)) & 1;
    let made = current.checked_sub(u64::from(age))?;
    let size = cookie.0 >> MAC_BITS & 7;
    let expected = self::cookie(key, made, local, remote, peer_isn, size);
    if expected == cookie { SIZES.get(size as usize).copied() } else { None }
}

/// What a SYN said, in the lowest six bits of a timestamp: the window scale (15 for none), selective acknowledgments and
/// congestion marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told(u8);

impl Told {
    pub(crate) fn new(syn: &SynOptions) -> Self {
        let scale = syn.window_scale.unwrap_or(NO_SCALE);
        Self(scale | u8::from(syn.sack_permitted) << 4 | u8::from(syn.marks) << 5)
    }

    /// The timestamp that carries it: the latest that is not after `now`, so that none seems to come from the future.
    pub(crate) fn stamp(self, now: u32) -> u32 {
        let stamp = now & !MASK | u32::from(self.0);
        if stamp.wrapping_sub(now) as i32 > 0 { stamp.wrapping_sub(MASK + 1) } else { stamp }
    }

    /// What the timestamp `echo`, which comes back with a cookie, carries: the options of a SYN of a peer that has timestamps.
    pub(crate) fn read(echo: u32) -> SynOptions {
        let bits = (echo & MASK) as u8;
        SynOptions {
            window_scale: Some(bits & 0xf).filter(|scale| *scale <= MAX_WINDOW_SCALE),
            sack_permitted: bits & 1 << 4 != 0,
            marks: bits & 1 << 5 != 0,
            ..SynOptions::default()
        }
    }
}

const MASK: u32 = 0x3f;
const NO_SCALE: u8 = 0xf;

fn cookie(
    key: &Secret,
    period: u64,
    local: SocketAddr,
    remote: SocketAddr,
    peer_isn: SequenceNumber,
    size: u32,
) -> SequenceNumber {
    // 29 bits of period last for a thousand years.
    let more = u64::from(peer_isn.0) << 32 | (period << 3 & 0xffff_ffff) | u64::from(size);
    let mac = keyed::hash(key, local, remote, more) as u32 >> (32 - MAC_BITS);
    SequenceNumber((period as u32) << 31 | size << MAC_BITS | mac)
}

fn period(now: Instant) -> u64 {
    now.as_nanos() / PERIOD.as_nanos()
}

const PERIOD: Duration = Duration::from_secs(64);
const MAC_BITS: u32 = 28;
/// The usual ones: RFC 9293's default, the least MTU of IPv6, tunnels, PPPoE, Ethernet for IPv6 and IPv4, jumbo frames; and
/// something for those who say less.
const SIZES: [u16; 8] = [88, 536, 1220, 1360, 1440, 1452, 1460, 8960];

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{IpAddr, Ipv4Addr};
    use proptest::prelude::*;

    const KEY: Secret = Secret::new([9; 16]);
    const PEER: SequenceNumber = SequenceNumber(0xdead_beef);

    fn end(host: u8, port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), port)
    }

    fn made(at: u64, mss: u16) -> SequenceNumber {
        encode(&KEY, Instant::from_secs(at), end(1, 80), end(2, 5000), PEER, mss)
    }

    fn read(at: u64, cookie: SequenceNumber) -> Option<u16> {
        decode(&KEY, Instant::from_secs(at), end(1, 80), end(2, 5000), PEER, cookie)
    }

    #[test]
    fn a_cookie_gives_the_segment_size_back_rounded_down() {
        for (mss, known) in [(1460, 1460), (1459, 1452), (9000, 8960), (536, 536), (535, 88), (10, 88)] {
            assert_eq!(read(1000, made(1000, mss)), Some(known), "{mss}");
        }
    }

    #[test]
    fn a_timestamp_carries_what_the_syn_said_and_is_never_of_the_future() {
        for now in (0..200).chain([u32::MAX, u32::MAX - 63]) {
            for (window_scale, sack_permitted, marks) in
                [(None, false, true), (Some(0), true, false), (Some(14), true, true)]
            {
                let syn = SynOptions { window_scale, sack_permitted, marks, ..SynOptions::default() };
                let stamp = Told::new(&syn).stamp(now);
                assert!(now.wrapping_sub(stamp) < 64, "{stamp} at {now}");
                assert_eq!(Told::read(stamp), syn);
            }
        }
    }

    #[test]
    fn a_cookie_expires() {
        let cookie = made(640, 1460);
        assert_eq!(read(640 + 64, cookie), Some(1460), "the next period still takes it");
        assert_eq!(read(640 + 127, cookie), Some(1460));
        for at in [640 + 128, 640 + 192, 640 + 256, 1_000_000, 639, 0] {
            assert_eq!(read(at, cookie), None, "{at}");
        }
    }

    #[test]
    fn another_connection_cannot_use_it() {
        let cookie = made(1000, 1460);
        let now = Instant::from_secs(1000);
        assert_eq!(decode(&KEY, now, end(1, 81), end(2, 5000), PEER, cookie), None);
        assert_eq!(decode(&KEY, now, end(1, 80), end(3, 5000), PEER, cookie), None);
        assert_eq!(decode(&KEY, now, end(1, 80), end(2, 5001), PEER, cookie), None);
        assert_eq!(decode(&KEY, now, end(1, 80), end(2, 5000), PEER.add(1), cookie), None);
        assert_eq!(decode(&Secret::new([8; 16]), now, end(1, 80), end(2, 5000), PEER, cookie), None);
    }

    #[test]
    fn a_flipped_bit_spoils_it() {
        let cookie = made(1000, 1460);
        for bit in 0..32 {
            assert_eq!(read(1000, SequenceNumber(cookie.0 ^ 1 << bit)), None, "bit {bit}");
        }
    }

    #[test]
    fn a_hundred_thousand_guesses_fail() {
        let guessed = (0..100_000_u32).filter(|guess| read(1000, SequenceNumber(guess.wrapping_mul(42_949))).is_some());
        assert_eq!(guessed.count(), 0);
    }

    proptest! {
        #[test]
        fn a_fresh_cookie_is_always_taken(at in 0_u64..1_000_000_000, later in 0_u64..64, mss: u16, isn: u32) {
            let (now, isn) = (Instant::from_secs(at), SequenceNumber(isn));
            let cookie = encode(&KEY, now, end(1, 80), end(2, 5000), isn, mss);
            let known = decode(&KEY, Instant::from_secs(at + later), end(1, 80), end(2, 5000), isn, cookie).unwrap();
            prop_assert!(known <= mss.max(88));
        }
    }
}
