//! What is known of a connection, for people and programs that look after it.

use mirage_clock::{Duration, Instant};
use mirage_congestion::Congestion as _;

use crate::connection::Slot;
use crate::identifier::NONE;
use crate::pool::Pool;
use crate::recovery::Phase;
use crate::retransmit::Watch;
use crate::runs::fate;
use crate::{ConnectionId, Profile, State, Tcp};

/// What the sender makes of the network (Linux: `tcpi_ca_state`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recovering {
    /// Nothing is wrong.
    #[default]
    Open,
    /// Something arrived out of order: it may be lost or late.
    Disorder,
    /// Marks of congestion came: the window is being reduced.
    Reduced,
    /// Something is lost and is sent again.
    Recovery,
    /// A retransmission timeout: all is sent again.
    Loss,
}

/// What is known of a connection, with the names of Linux's `struct tcp_info` where it has them. Sizes are in bytes, where
/// Linux counts segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// Where the connection is in its life.
    pub state: State,
    /// What the sender makes of the network.
    pub ca_state: Recovering,
    /// Retransmission timeouts in a row, or SYNs sent again.
    pub retransmits: u8,
    /// How often the retransmission timeout is doubled.
    pub backoff: u8,
    /// Probes of a closed window, or of a silent peer, that were not answered.
    pub probes: u8,
    /// Data came or went with the SYN and was taken (RFC 7413).
    pub syn_data: bool,
    /// Both ends use timestamps (RFC 7323).
    pub timestamps: bool,
    /// Both ends use selective acknowledgments (RFC 2018).
    pub sack: bool,
    /// Both ends understand congestion marks (RFC 3168).
    pub ecn: bool,
    /// A packet of the peer's said that it may be marked.
    pub ecn_seen: bool,
    /// By how many bits the peer's windows are shifted; `None` when windows are not scaled.
    pub snd_wscale: Option<u8>,
    /// By how many bits ours are shifted.
    pub rcv_wscale: Option<u8>,
    /// Retransmission timeout, with back-off.
    pub rto: Duration,
    /// Payload of the segments that we send.
    pub snd_mss: u16,
    /// The largest payload that the peer said it takes.
    pub peer_mss: u16,
    /// Payload of the segments that come, as far as we have seen.
    pub rcv_mss: u16,
    /// The payload that we told the peer we take; 0 before anything was sent.
    pub advmss: u16,
    /// The path's MTU, IP header included, as far as we know; 0 before anything was sent.
    pub pmtu: u32,
    /// Sent and not acknowledged.
    pub unacked: u32,
    /// Of these: acknowledged selectively.
    pub sacked: u32,
    /// Of these: thought lost, whether sent again or not.
    pub lost: u32,
    /// Of these: sent again, and under way.
    pub retrans: u32,
    /// Segments (here Linux's unit counts) sent again since the connection began.
    pub total_retrans: u32,
    /// Since when nothing was sent, to a millisecond.
    pub last_data_sent: Duration,
    /// Since when no data came, to a millisecond.
    pub last_data_recv: Duration,
    /// Since when nothing came at all.
    pub last_ack_recv: Duration,
    /// Smoothed round-trip time; zero before the first measurement.
    pub rtt: Duration,
    /// How much it varies.
    pub rttvar: Duration,
    /// The shortest of the last minutes.
    pub min_rtt: Duration,
    /// Slow-start threshold; `u32::MAX` before the first loss.
    pub snd_ssthresh: u32,
    /// Congestion window.
    pub snd_cwnd: u32,
    /// By how many bytes at most the network was seen to reorder; 0 for not at all.
    pub reordering: u32,
    /// How many bytes a second may leave, where the congestion controller paces.
    pub pacing_rate: Option<u64>,
    /// How many bytes a second the network delivered when that was last measured; 0 before.
    pub delivery_rate: u64,
    /// That says how much the application had to send, not what the path takes.
    pub delivery_rate_app_limited: bool,
    /// Bytes that the peer has, modulo 2³².
    pub delivered: u32,
    /// Bytes that came to the peer with a congestion mark, as it says by the option of more accurate feedback (RFC 9768), modulo
    /// 2²⁴.
    pub delivered_ce_bytes: u32,
    /// Bytes that came to us with a congestion mark, where the ends count them, modulo 2²⁴.
    pub received_ce_bytes: u32,
    /// Bytes acknowledged in order since the connection began, modulo 2³².
    pub bytes_acked: u32,
    /// Bytes received in order since the connection began, modulo 2³².
    pub bytes_received: u32,
    /// Written and not sent yet.
    pub notsent_bytes: u32,
    /// What the peer's window has room for.
    pub snd_wnd: u32,
    /// What ours has room for.
    pub rcv_wnd: u32,
    /// How much the application may leave unread at most.
    pub rcv_space: u32,
    /// Bytes that wait behind holes.
    pub rcv_ooopack: u32,
}

impl<P: Profile> Tcp<'_, P> {
    /// All that is known of a connection; `None` when there is no such connection. It looks at each run of bytes under way: not
    /// for every segment.
    pub fn tcp_info(&self, id: ConnectionId, now: Instant) -> Option<TcpInfo> {
        let slot = self.slot(id)?;
        let config = &self.resources.config;
        let scale = |shift: u8| slot.scaling().then_some(shift);
        let (lost, retrans) = self.sent_again(slot);
        let backoff = slot.round_trip.backoff();
        let persists = slot.watch == Watch::Persist && slot.resend_at != Instant::MAX;
        let retransmits = match slot.state {
            State::SynSent | State::SynReceived => slot.syns.saturating_sub(1),
            _ if persists => 0,
            _ => backoff,
        };
        Some(TcpInfo {
            state: if slot.unconfirmed() { State::SynReceived } else { slot.state },
            syn_data: slot.has_syn_data(),
            ca_state: slot.recovering(&self.resources.pool),
            retransmits,
            backoff,
            probes: if persists { backoff } else { slot.asked },
            timestamps: slot.stamps.is_on(),
            sack: slot.selective(),
            ecn: slot.marks.is_on(),
            ecn_seen: slot.marks.seen(),
            snd_wscale: scale(slot.send_scale),
            rcv_wscale: scale(slot.receive_scale),
            rto: slot.round_trip.rto(config.max_rto),
            snd_mss: slot.mss,
            peer_mss: slot.peer_mss,
            rcv_mss: slot.receive_mss,
            advmss: slot.path.advmss,
            pmtu: slot.path_mtu(),
            unacked: slot.in_flight(),
            sacked: slot.recovery.sacked,
            lost,
            retrans,
            total_retrans: slot.resent,
            last_data_sent: slot.sent_at.since(now),
            last_data_recv: slot.data_at.since(now),
            last_ack_recv: now.since(slot.heard_at),
            rtt: slot.round_trip.srtt().unwrap_or_default(),
            rttvar: slot.round_trip.rttvar(),
            min_rtt: slot.recovery.reordering.min_rtt(),
            snd_ssthresh: slot.congestion.ssthresh(),
            snd_cwnd: slot.send_window(&self.resources.pool),
            reordering: slot.recovery.reordering.distance,
            pacing_rate: slot.congestion.pacing_rate(),
            delivery_rate: slot.recovery.delivery.newest.bytes_per_second(),
            delivery_rate_app_limited: slot.recovery.delivery.newest.is_app_limited(),
            delivered_ce_bytes: slot.counters.bytes.told(),
            received_ce_bytes: slot.counters.bytes.received(),
            bytes_acked: slot.bytes_acked(),
            bytes_received: slot.bytes_received(),
            delivered: slot.recovery.delivery.delivered,
            notsent_bytes: slot.send.len().saturating_sub(slot.in_flight()),
            snd_wnd: slot.window,
            rcv_wnd: slot.receive_window(),
            rcv_space: slot.tuning.limit,
            rcv_ooopack: slot.receive.ooo_bytes(&self.resources.pool),
        })
    }

    /// How many bytes under way are thought lost, and how many were sent again.
    fn sent_again(&self, slot: &Slot<P>) -> (u32, u32) {
        let mut again = 0;
        let mut index = slot.recovery.chain.head;
        while index != NONE {
            let run = self.resources.runs.of(index);
            if run.is(fate::RESENT) && !run.is(fate::SACKED | fate::LOST) {
                again += run.len();
            }
            index = run.next;
        }
        match slot.recovery.phase {
            // The tail, sent again as a probe, is not thought lost.
            Phase::Open => (slot.recovery.lost, again),
            _ => (slot.recovery.lost + again, again),
        }
    }
}

impl<P: Profile> Slot<P> {
    /// Our SYN occupies the first number, and our FIN, once acknowledged, the last.
    fn bytes_acked(&self) -> u32 {
        self.una.since(self.iss).saturating_sub(1 + u32::from(self.fin_acked()))
    }

    fn bytes_received(&self) -> u32 {
        self.rcv_nxt.since(self.irs).saturating_sub(1 + u32::from(self.ended()))
    }

    fn recovering(&self, pool: &Pool<'_>) -> Recovering {
        match self.recovery.phase {
            Phase::Recovery => Recovering::Recovery,
            Phase::Loss => Recovering::Loss,
            Phase::Open if self.is_reduced(pool) => Recovering::Reduced,
            Phase::Open if self.recovery.sacked > 0 || self.recovery.duplicates > 0 => Recovering::Disorder,
            Phase::Open => Recovering::Open,
        }
    }
}
