//! What `--so_flags` says, and what the script's `sysctl`s say.

use std::net::Ipv4Addr;

use mirage_clock::Duration;
use mirage_tcp::{Config, FastOpen, Marking};

/// How the machine is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Our address.
    pub(crate) local: Ipv4Addr,
    /// Largest packet with its IP header, in bytes.
    pub(crate) mtu: usize,
    /// Timers and windows as Linux has them, and what the namespace's `sysctl`s say.
    pub(crate) linux: bool,
}

impl Profile {
    /// Reads `local=192.168.0.1,mtu=1500,linux`, in any order, each optional. What it does not know it leaves out.
    pub(crate) fn parse(flags: &str) -> Self {
        let mut profile = Self { local: Ipv4Addr::new(192, 168, 0, 1), mtu: 1500, linux: false };
        for flag in flags.split(',') {
            match flag.split_once('=') {
                Some(("local", value)) => profile.local = value.parse().unwrap_or(profile.local),
                Some(("mtu", value)) => profile.mtu = value.parse().unwrap_or(profile.mtu).clamp(68, 65_535),
                _ => profile.linux |= flag == "linux",
            }
        }
        profile
    }

    /// The machine's configuration. It is asked for when the first socket is made: by then the script has set its `sysctl`s.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::default();
        if !self.linux {
            return config;
        }
        config.receive_window = largest("tcp_rmem").unwrap_or(6 << 20);
        config.send_buffer = largest("tcp_wmem").unwrap_or(4 << 20);
        config.out_of_order_bytes = config.receive_window;
        config.min_rto = Duration::from_millis(200);
        config.max_rto = Duration::from_secs(120);
        config.syn_retries = number("tcp_syn_retries").unwrap_or(6);
        config.syn_ack_retries = number("tcp_synack_retries").unwrap_or(5);
        // Fifteen retries with a timeout that doubles from 200 ms up to 120 s.
        config.user_timeout = Duration::from_millis(924_600);
        config.quick_acks = 16;
        config.min_mss = 48;
        config.selective = number("tcp_sack") != Some(0);
        config.timestamps = number("tcp_timestamps") != Some(0);
        config.ecn = match number("tcp_ecn") {
            Some(0) => Marking::Never,
            Some(1) => Marking::Ask,
            _ => Marking::Accept,
        };
        config
    }

    /// How a listener takes data with the SYN, when it asked for that with so many pending ones or (`None`) did not ask.
    pub(crate) fn fast_open(&self, pending: Option<u16>) -> Option<FastOpen> {
        let flags: u32 = sysctl("tcp_fastopen").and_then(|text| flags(text.trim())).filter(|_| self.linux)?;
        if flags & SERVER == 0 || (pending.is_none() && flags & EVERY_LISTENER == 0) {
            return None;
        }
        let mut key = [0; 16];
        let text = sysctl("tcp_fastopen_key").unwrap_or_default();
        for (word, digits) in key.chunks_mut(4).zip(text.trim().split('-')) {
            word.copy_from_slice(&u32::from_str_radix(digits, 16).unwrap_or(0).to_le_bytes());
        }
        let without_cookie = flags & SERVER_WITHOUT_COOKIE != 0;
        Some(FastOpen { key, pending: pending.unwrap_or(128), without_cookie })
    }

    /// How many segments the device cuts a large one into: Linux makes them so long that one leaves in each millisecond, but
    /// of two segments at least, which is the usual one at the round-trip times of scripts.
    pub(crate) fn cuts(&self) -> usize {
        if self.linux { number("tcp_min_tso_segs").unwrap_or(2).clamp(1, 40) } else { 1 }
    }
}

/// What clients may do.
pub(crate) struct ClientFastOpen {
    pub(crate) enabled: bool,
    pub(crate) without_cookie: bool,
}

/// What `tcp_fastopen` says of clients.
pub(crate) fn client_fast_open() -> ClientFastOpen {
    let bits = sysctl("tcp_fastopen").and_then(|text| flags(text.trim())).unwrap_or(0);
    ClientFastOpen { enabled: bits & CLIENT != 0, without_cookie: bits & CLIENT_WITHOUT_COOKIE != 0 }
}

/// A `sysctl` of the network namespace.
pub(crate) fn sysctl(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()
}

/// A `sysctl` that is a number.
pub(crate) fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    sysctl(name)?.trim().parse().ok()
}

/// A number in decimal, or in hexadecimal behind `0x`.
fn flags(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Bits of `tcp_fastopen`: clients may send data with the SYN; even without a cookie. Listeners may take it; even without
/// a cookie; even those that did not ask.
const CLIENT: u32 = 1;
const CLIENT_WITHOUT_COOKIE: u32 = 4;
const SERVER: u32 = 2;
const SERVER_WITHOUT_COOKIE: u32 = 0x200;
const EVERY_LISTENER: u32 = 0x400;

/// The last of the three sizes of a buffer.
fn largest(name: &str) -> Option<u32> {
    sysctl(name)?.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_in_any_order_and_each_may_be_left_out() {
        let profile = Profile::parse("linux,mtu=1520,local=10.0.0.1");
        assert_eq!(profile, Profile { local: [10, 0, 0, 1].into(), mtu: 1520, linux: true });
        assert!(!Profile::parse("").linux);
    }
}
