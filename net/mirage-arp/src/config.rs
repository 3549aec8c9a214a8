//! How patient ARP is.

use mirage_clock::Duration;
use mirage_net::MacAddress;

/// How patient ARP is, and what it does beyond the usual. [`Config::new`] has the defaults.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Our own hardware address: what we answer with, and how we know our own packets when they come back.
    pub mac: MacAddress,
    /// How long a neighbour's answer is believed. Default 20 min.
    pub lifetime: Duration,
    /// How long before the end of its life an entry that is in use is asked for again, by unicast, while it still
    /// serves. Default 30 s.
    pub refresh_before: Duration,
    /// Time between two requests for one target; each target has its own. Default 1 s (RFC 1122 §2.3.2.1: "The
    /// recommended maximum rate is 1 per second per destination").
    pub request_interval: Duration,
    /// Requests that go unanswered before a target counts as unreachable; at least 1. Default 3.
    pub attempts: u8,
    /// How long after that sending to it fails at once. Default 3 s.
    pub unreachable_for: Duration,
    /// An entry that was used within this time gives way to a new target only when nothing else can. Default 30 s.
    pub active: Duration,
    /// Targets that may be asked for at one time; beyond, the one that was asked longest ago fails. Default 32.
    pub max_unresolved: u16,
    /// Packets that may wait for one target; beyond, its oldest is dropped. Default 4.
    pub max_pending: u16,
    /// Answer requests for every address but the asker's own: for a gateway that stands for all the rest of the
    /// world (a proxy, RFC 1027). Default off.
    pub answer_for_all: bool,
    /// Longest random wait before the first probe. Default 1 s (`PROBE_WAIT`, RFC 5227 §1.1).
    pub probe_wait: Duration,
    /// Probes before an address is taken. Default 3 (`PROBE_NUM`).
    pub probe_num: u8,
    /// Shortest wait between two probes. Default 1 s (`PROBE_MIN`).
    pub probe_min: Duration,
    /// Longest wait between two probes. Default 2 s (`PROBE_MAX`).
    pub probe_max: Duration,
    /// Wait after the last probe. Default 2 s (`ANNOUNCE_WAIT`).
    pub announce_wait: Duration,
    /// Announcements of a new address; at least 1. Default 2 (`ANNOUNCE_NUM`).
    pub announce_num: u8,
    /// Time between two announcements. Default 2 s (`ANNOUNCE_INTERVAL`).
    pub announce_interval: Duration,
    /// Conflicts after which probing slows down. Default 10 (`MAX_CONFLICTS`).
    pub max_conflicts: u8,
    /// Wait before the first probe after that many conflicts. Default 60 s (`RATE_LIMIT_INTERVAL`).
    pub rate_limit_interval: Duration,
    /// Shortest time between two defences of one address. Default 10 s (`DEFEND_INTERVAL`).
    pub defend_interval: Duration,
}

impl Config {
    /// The defaults, for the station `mac`.
    pub const fn new(mac: MacAddress) -> Self {
        Self {
            mac,
            lifetime: Duration::from_secs(20 * 60),
            refresh_before: Duration::from_secs(30),
            request_interval: Duration::from_secs(1),
            attempts: 3,
            unreachable_for: Duration::from_secs(3),
            active: Duration::from_secs(30),
            max_unresolved: 32,
            max_pending: 4,
            answer_for_all: false,
            probe_wait: Duration::from_secs(1),
            probe_num: 3,
            probe_min: Duration::from_secs(1),
            probe_max: Duration::from_secs(2),
            announce_wait: Duration::from_secs(2),
            announce_num: 2,
            announce_interval: Duration::from_secs(2),
            max_conflicts: 10,
            rate_limit_interval: Duration::from_secs(60),
            defend_interval: Duration::from_secs(10),
        }
    }
}
