//! What can be tuned.

use mirage_clock::{Duration, Instant};

use crate::options::SynOptions;
use crate::stamps::Stamps;
use crate::{Marking, Probing, Profile};

/// What can be tuned. The default suits a server on the Internet; every value is clamped to what makes sense, none
/// can make the machine panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Largest receive window of a connection in bytes; the window scale we offer follows from it (RFC 7323 §2). It begins with
    /// 64 KiB and grows with need, as far as the blocks suffice. Default 1 MiB, at most 1 GiB.
    pub receive_window: u32,
    /// How many bytes a connection may have written and not yet acknowledged. It begins with 256 KiB and grows to twice the
    /// congestion window. Default 1 MiB.
    pub send_buffer: u32,
    /// Retransmission timeout before the first measurement. Default 1 s (RFC 6298 §2.1).
    pub initial_rto: Duration,
    /// How much longer than a round trip the retransmission timeout is at least. Default 200 ms: RFC 6298 §2.4 says 1 s
    /// "SHOULD" for all of it, and like Linux we disobey, since this stays above the delayed acknowledgements of all peers
    /// we know.
    pub min_rto: Duration,
    /// Longest retransmission timeout, and longest pause between probes of a closed window. Default 60 s (RFC 6298 §2.5).
    pub max_rto: Duration,
    /// How long an acknowledgement may wait for data to ride on. Default 40 ms, at most 500 ms (RFC 9293 §3.8.6.3).
    pub delayed_ack: Duration,
    /// How many acknowledgements of a new connection do not wait for data to ride on: they open the window of a peer that has
    /// just begun to send. It ends when the application answers. Default 0; Linux has 16.
    pub quick_acks: u8,
    /// How often a SYN is sent again before the attempt is given up. Default 6: about 127 s.
    pub syn_retries: u8,
    /// How often a SYN-ACK is sent again before the half-open connection is forgotten. Default 5: about 63 s.
    pub syn_ack_retries: u8,
    /// After how long without progress a connection is given up, unless it says otherwise itself. Default 5 minutes
    /// (RFC 9293 §3.9.1.1).
    pub user_timeout: Duration,
    /// How long a connection whose application is gone waits for the peer's end, and how long such a peer may keep its
    /// window closed. Default 60 s.
    pub fin_wait_2: Duration,
    /// How long the memory of a closed connection stays: twice the maximum segment lifetime. Default 60 s, thus an MSL
    /// of 30 s instead of the 2 minutes of RFC 9293 §3.4.2, as Linux.
    pub time_wait: Duration,
    /// How many bytes of a connection may wait behind a hole. Default 1 MiB.
    pub out_of_order_bytes: u32,
    /// How many separate ranges of a connection may wait behind holes. Default 32.
    pub out_of_order_ranges: u16,
    /// A peer that asks for shorter segments gets segments of this payload size all the same, so that nobody makes us
    /// send a header for each byte (CVE-2019-11479). Default 88 bytes, at least 48.
    pub min_mss: u16,
    /// The payload size of segments to a peer that does not say what it takes. Default 536 bytes (RFC 9293 §3.7.1).
    pub default_mss: u16,
    /// Whether connections use selective acknowledgments (RFC 2018) when the peer does. Default `true`.
    pub selective: bool,
    /// Whether connections use timestamps (RFC 7323) when the peer does: 12 bytes in each segment. Default `true`.
    pub timestamps: bool,
    /// Whether connections understand congestion marks (RFC 3168). Default: when the peer asks for it, as Linux.
    pub ecn: Marking,
    /// Whether the path's MTU is found out where routers do not tell (RFC 4821). Default: when full segments vanish.
    pub probing: Probing,
    /// How many segments a new connection may send before the first acknowledgement. Default 10 (RFC 6928).
    pub initial_window: u8,
    /// How many connections through listeners, handshakes included, one remote address may hold; its further SYNs are dropped.
    /// Default 0: no limit. An address may rarely be counted together with another.
    pub per_peer: u16,
    /// How many resets a second may answer strangers, over all of them. Default 200.
    pub resets_per_second: u16,
    /// How many challenge acknowledgements a second may be sent, over all connections; the true limit varies at random
    /// around it (CVE-2016-5696). Default 1000.
    pub challenges_per_second: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            receive_window: 1 << 20,
            send_buffer: 1 << 20,
            initial_rto: Duration::from_secs(1),
            min_rto: Duration::from_millis(200),
            max_rto: Duration::from_secs(60),
            delayed_ack: Duration::from_millis(40),
            quick_acks: 0,
            syn_retries: 6,
            syn_ack_retries: 5,
            user_timeout: Duration::from_secs(300),
            fin_wait_2: Duration::from_secs(60),
            time_wait: Duration::from_secs(60),
            out_of_order_bytes: 1 << 20,
            out_of_order_ranges: 32,
            min_mss: 88,
            default_mss: 536,
            selective: true,
            timestamps: true,
            ecn: Marking::Accept,
            probing: Probing::BlackHole,
            initial_window: 10,
            per_peer: 0,
            resets_per_second: 200,
            challenges_per_second: 1000,
        }
    }
}

impl Config {
    /// The same with every value inside its bounds.
    #[must_use]
    pub(crate) fn clamped(mut self) -> Self {
        self.receive_window = self.receive_window.clamp(2048, 1 << 30);
        self.send_buffer = self.send_buffer.clamp(1, 1 << 30);
        self.min_rto = self.min_rto.max(Duration::from_millis(1));
        self.max_rto = self.max_rto.max(self.min_rto);
        self.initial_rto = self.initial_rto.clamp(self.min_rto, self.max_rto);
        self.delayed_ack = self.delayed_ack.min(Duration::from_millis(500));
        self.min_mss = self.min_mss.clamp(48, 1220);
        self.default_mss = self.default_mss.max(self.min_mss);
        self.initial_window = self.initial_window.max(1);
        self
    }

    /// The timestamps of a connection whose peer's SYN said `peer`.
    pub(crate) fn begin_stamps<P: Profile>(&self, now: Instant, offset: u32, peer: &SynOptions) -> Stamps {
        match peer.timestamps {
            Some((value, _)) if P::TIMESTAMPS && self.timestamps => Stamps::begin(now, offset, value),
            _ => Stamps::off(offset),
        }
    }

    /// The shift by which our windows are scaled: the smallest with which [`receive_window`](Self::receive_window)
    /// fits into 16 bits (RFC 7323 §2.3: at most 14).
    pub(crate) fn window_scale(&self) -> u8 {
        let bits = 32 - self.receive_window.leading_zeros();
        // Rounding up the window in a header must not carry it over 16 bits.
        let scale = bits.saturating_sub(16);
        let scale = if (self.receive_window >> scale) >= 0xffff { scale + 1 } else { scale };
        scale.min(14) as u8
    }
}
