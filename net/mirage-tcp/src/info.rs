//! What a connection measures and allows itself, in the terms of Linux's `struct tcp_info`.

use mirage_clock::{Duration, Instant};
use mirage_congestion::Congestion as _;

use crate::connection::Slot;
use crate::identifier::NONE;
use crate::recovery::Phase;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::runs::fate;
use crate::{ConnectionId, Profile, State, Tcp};

/// What a connection measures and allows itself.
///
/// A field that Linux's `struct tcp_info` has, too, has its name (without `tcpi_`), its meaning and its unit; where Linux
/// counts segments, so does it, and another field without Linux's prefix gives bytes. Counters of 32 bits start again at
/// zero after the last number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Where the connection is in its life.
    pub state: State,
    /// Whether losses are being repaired.
    pub ca_state: CaState,
    /// Retransmission timeouts in a row, or SYNs sent again.
    pub retransmits: u8,
    /// Probes of a closed window, or of a silent peer, that nothing answered yet.
    pub probes: u8,
    /// How often the retransmission timeout is doubled.
    pub backoff: u8,
    /// What both ends agreed on.
    pub options: InfoOptions,
    /// Shift of the windows the peer sends.
    pub snd_wscale: u8,
    /// Shift of the windows we send.
    pub rcv_wscale: u8,
    /// The newest [`delivery_rate`](Self::delivery_rate) says how much the application had to send, not what the path takes.
    pub delivery_rate_app_limited: bool,

    /// Retransmission timeout with back-off.
    pub rto: Duration,
    /// Smoothed round-trip time; zero before the first measurement.
    pub rtt: Duration,
    /// Its mean deviation.
    pub rttvar: Duration,
    /// The shortest round-trip time of the last five minutes; zero before the first measurement.
    pub min_rtt: Duration,

    /// Payload of a full segment in bytes; what options take is taken off already.
    pub snd_mss: u16,
    /// Payload in bytes of the peer's full segments, as far as we have seen.
    pub rcv_mss: u16,
    /// The payload in bytes that we told the peer we take.
    pub advmss: u16,
    /// The path's MTU in bytes, IP header included, as far as we know; 0 before anything was sent.
    pub pmtu: u32,

    /// Segments sent and not acknowledged in order.
    pub unacked: u32,
    /// Segments of those that the peer acknowledged selectively (or that its duplicate acknowledgements stand for).
    pub sacked: u32,
    /// Segments of those that are thought lost, sent again or not.
    pub lost: u32,
    /// Segments of those that were sent again and are under way.
    pub retrans: u32,
    /// Segments sent again since the connection began.
    pub total_retrans: u32,
    /// Segments out of order after which one is thought lost where nothing was seen to be reordered.
    pub reordering: u32,
    /// Whether the network was seen to reorder: losses are then told by time alone.
    pub reord_seen: bool,

    /// Congestion window in segments.
    pub snd_cwnd: u32,
    /// Slow-start threshold in segments; [`u32::MAX`] before the first loss.
    pub snd_ssthresh: u32,
    /// How fast segments leave, in bytes a second; `None`: as fast as the window allows.
    pub pacing_rate: Option<u64>,
    /// How fast the network delivered, in bytes a second, when that was last measured; 0 before.
    pub delivery_rate: u64,
    /// Segments delivered since the connection began, those sent again included.
    pub delivered: u32,
    /// Bytes acknowledged in order since the connection began.
    pub bytes_acked: u32,
    /// Bytes received in order since the connection began.
    pub bytes_received: u32,
    /// Bytes written and not sent yet.
    pub notsent_bytes: u32,
    /// The window the peer offers, in bytes.
    pub snd_wnd: u32,
    /// The window we last offered, in bytes.
    pub rcv_wnd: u32,
    /// How many bytes this connection may hold for the application.
    pub rcv_space: u32,
    /// When data was last sent; Linux says how long ago.
    pub last_data_sent: Instant,
    /// When the peer was last heard; Linux says how long ago.
    pub last_ack_recv: Instant,

    /// Congestion window in bytes.
    pub cwnd: u32,
    /// Slow-start threshold in bytes; [`u32::MAX`] before the first loss.
    pub ssthresh: u32,
    /// Bytes sent and not acknowledged in order.
    pub in_flight: u32,
    /// Bytes delivered since the connection began.
    pub delivered_bytes: u32,
    /// Bytes written and not acknowledged, sent or not.
    pub send_queued: u32,
    /// Bytes the application has yet to read.
    pub receive_queued: u32,
    /// Bytes that wait behind a hole.
    pub out_of_order: u32,
}

/// Whether losses are being repaired: Linux's `tcpi_ca_state`, with its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaState {
    /// Nothing is out of the ordinary.
    #[default]
    Open = 0,
    /// Something may be lost, or only reordered.
    Disorder = 1,
    /// The window was reduced because of a congestion mark (RFC 3168).
    Cwr = 2,
    /// A loss was noticed and is repaired.
    Recovery = 3,
    /// The same after a retransmission timeout.
    Loss = 4,
}

/// What both ends agreed on: Linux's `tcpi_options`, whose bits [`bits`](Self::bits) gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InfoOptions {
    /// Timestamps (RFC 7323).
    pub timestamps: bool,
    /// Selective acknowledgments (RFC 2018).
    pub sack: bool,
    /// Window scaling (RFC 7323).
    pub wscale: bool,
    /// Explicit congestion notification (RFC 3168).
    pub ecn: bool,
    /// A packet of the peer's said that it may be marked.
    pub ecn_seen: bool,
    /// The data that went with our SYN was acknowledged, or the peer's was taken (RFC 7413).
    pub syn_data: bool,
}

impl InfoOptions {
    /// As Linux's `TCPI_OPT_` bits.
    pub fn bits(self) -> u8 {
        let flags = [self.timestamps, self.sack, self.wscale, self.ecn, self.ecn_seen, self.syn_data];
        flags.iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(*flag))
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// What the connection measures and allows itself; `None` when there is no such connection.
    pub fn info(&self, id: ConnectionId) -> Option<Info> {
        Some(self.slot(id)?.info(&self.resources))
    }
}

impl<P: Profile> Slot<P> {
    #[inline(never)]
    fn info(&self, resources: &Resources<'_>) -> Info {
        let mss = u32::from(self.mss).max(1);
        let segments = |bytes: u32| bytes.div_ceil(mss);
        let opening = matches!(self.state, State::SynSent | State::SynReceived);
        let recovery = &self.recovery;
        let resent = self.resent_under_way(resources);
        // What Linux sends again stays among the lost until it arrives; the tail sent as a probe never was.
        let lost = if recovery.phase == Phase::Open { recovery.lost } else { recovery.lost + resent };
        let ssthresh = self.congestion.ssthresh();
        let backoff = self.round_trip.backoff();
        let persists = self.watch == Watch::Persist && self.resend_at != Instant::MAX;
        let synchronized = self.state.is_synchronized();
        Info {
            state: self.state,
            ca_state: self.ca_state(),
            retransmits: if opening {
                self.syns.saturating_sub(1)
            } else if persists {
                0
            } else {
                backoff
            },
            probes: if persists { backoff } else { self.asked },
            backoff,
            options: InfoOptions {
                timestamps: self.stamps.on,
                sack: self.selective,
                wscale: self.scaling && synchronized,
                ecn: self.marks.is_on(),
                ecn_seen: self.marks.seen(),
                ..InfoOptions::default()
            },
            snd_wscale: self.send_scale,
            rcv_wscale: self.receive_scale,
            delivery_rate_app_limited: recovery.delivery.newest.is_app_limited(),
            rto: self.round_trip.rto(resources.config.max_rto),
            rtt: self.round_trip.srtt().unwrap_or_default(),
            rttvar: self.round_trip.rttvar(),
            min_rtt: recovery.rack.min_rtt(),
            snd_mss: self.mss,
            rcv_mss: self.receive_mss,
            advmss: self.advmss,
            pmtu: self.path_mtu(),
            unacked: if opening { self.in_flight() } else { segments(self.in_flight()) },
            sacked: segments(recovery.sacked),
            lost: segments(lost),
            retrans: segments(resent),
            total_retrans: self.resent,
            reordering: REORDERING,
            reord_seen: recovery.rack.reordering,
            snd_cwnd: self.congestion.window() / mss,
            snd_ssthresh: if ssthresh == u32::MAX { ssthresh } else { ssthresh / mss },
            pacing_rate: self.congestion.pacing_rate(),
            delivery_rate: recovery.delivery.newest.bytes_per_second(),
            delivered: segments(recovery.delivery.delivered),
            bytes_acked: self.bytes_acked(),
            bytes_received: self.bytes_received(),
            notsent_bytes: if opening { self.send.len() } else { self.send.len().saturating_sub(self.in_flight()) },
            snd_wnd: self.window,
            rcv_wnd: self.receive_window(),
            rcv_space: resources.config.receive_window,
            last_data_sent: self.sent_at,
            last_ack_recv: self.heard_at,
            cwnd: self.congestion.window(),
            ssthresh,
            in_flight: self.in_flight(),
            delivered_bytes: recovery.delivery.delivered,
            send_queued: self.send.len(),
            receive_queued: self.receive.readable(),
            out_of_order: self.receive.ooo_bytes(),
        }
    }

    fn ca_state(&self) -> CaState {
        let recovery = &self.recovery;
        match recovery.phase {
            Phase::Recovery => CaState::Recovery,
            Phase::Loss => CaState::Loss,
            Phase::Open if self.reduced_until.is_some() => CaState::Cwr,
            Phase::Open if recovery.sacked > 0 || recovery.duplicates > 0 || recovery.lost > 0 => CaState::Disorder,
            Phase::Open => CaState::Open,
        }
    }

    /// Bytes under way that were sent more than once.
    fn resent_under_way(&self, resources: &Resources<'_>) -> u32 {
        let (mut bytes, mut index) = (0, self.recovery.chain.head);
        while index != NONE {
            let run = resources.runs.of(index);
            if run.is(fate::RESENT) && !run.is(fate::SACKED | fate::LOST) {
                bytes += run.len();
            }
            index = run.next;
        }
        bytes
    }

    /// Our SYN occupies the first number, and our FIN, once acknowledged, the last.
    fn bytes_acked(&self) -> u32 {
        let numbers = self.una.since(self.iss);
        numbers.saturating_sub(1 + u32::from(self.fin_acked))
    }

    fn bytes_received(&self) -> u32 {
        let numbers = self.rcv_nxt.since(self.irs);
        numbers.saturating_sub(1 + u32::from(self.ended))
    }
}

/// RFC 5681 §3.2.
const REORDERING: u32 = 3;
