//! One connection: what it knows, and its clocks.

use core::net::{Ipv4Addr, SocketAddrV4};

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use mirage_stack::{ErrorKind, Keepalive, TcpOptions};
use mirage_waker::WaitList;

use crate::ring::Ring;

/// No timer is set.
pub(crate) const NEVER: Instant = Instant::MAX;

/// Bounds of the retransmission timeout, and what it is before there is a measure (RFC 6298 §2, in microseconds).
const LEAST_RTO: u32 = 200_000;
const MOST_RTO: u32 = 60_000_000;
const FIRST_RTO: u32 = 1_000_000;

/// How far a connection has come.
///
/// The states of RFC 9293 §3.3.2 from ESTABLISHED to LAST-ACK are [`Open`](State::Open): which of them it is follows from who
/// has ended what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody's: the slot is free.
    #[default]
    Free,
    SynSent,
    SynReceived,
    Open,
    TimeWait,
    /// Over, but somebody still has a handle to it.
    Dead,
}

/// Room for one connection.
#[derive(Debug)]
pub struct Slot {
    pub(crate) state: State,
    /// Counts the connections that had this slot, so that an old handle is known.
    pub(crate) generation: u16,
    pub(crate) local_port: u16,
    pub(crate) remote: SocketAddrV4,
    /// Which listener it came through, or opened here.
    pub(crate) listener: u8,

    /// Somebody has a handle, or will get one by `accept`.
    pub(crate) owned: bool,
    /// Established, and nobody has accepted it yet.
    pub(crate) waits: bool,
    /// It stands in the queue of those that have something to send.
    pub(crate) queued: bool,
    /// An acknowledgement shall leave at once.
    pub(crate) ack_now: bool,
    /// The oldest segment shall leave again.
    pub(crate) resend: bool,
    /// One byte shall leave, whatever the window says.
    pub(crate) probe: bool,
    /// An empty segment before the window shall leave, for the peer to answer.
    pub(crate) ask: bool,
    /// A reset shall leave, and nothing after it.
    pub(crate) reset: bool,
    /// We have ended our direction; its FIN follows the last byte. And whether that was acknowledged.
    pub(crate) ended: bool,
    pub(crate) end_acknowledged: bool,
    /// The peer has ended its direction, and all before it has come.
    pub(crate) heard_end: bool,
    /// The peer was the first to end.
    pub(crate) passive: bool,
    /// Nobody reads any more: what comes is thrown away.
    pub(crate) deaf: bool,
    pub(crate) nodelay: bool,
    /// Fast recovery (RFC 6582).
    pub(crate) recovering: bool,
    /// Why it broke.
    pub(crate) error: Option<ErrorKind>,

    /// What was sent and not acknowledged, and what waits behind it.
    pub(crate) outbox: Ring,
    /// First sequence number that is not acknowledged; next to send; behind all that was ever sent.
    pub(crate) una: SequenceNumber,
    pub(crate) next: SequenceNumber,
    pub(crate) top: SequenceNumber,
    /// The peer's window, the largest it ever was, and the segment that told it (RFC 9293 §3.10.7.4).
    pub(crate) window: u16,
    pub(crate) largest_window: u16,
    pub(crate) told_by: (SequenceNumber, SequenceNumber),
    pub(crate) mss: u16,
    pub(crate) congestion_window: u32,
    pub(crate) threshold: u32,
    pub(crate) recover: SequenceNumber,
    pub(crate) duplicates: u8,

    /// What came and was not read.
    pub(crate) inbox: Ring,
    pub(crate) expected: SequenceNumber,
    /// The right edge of the window that the peer was told.
    pub(crate) edge: SequenceNumber,
    /// Where the peer's stream ends, once that was heard.
    pub(crate) end: Option<SequenceNumber>,
    /// What has come ahead of its time; empty where both are equal.
    pub(crate) ahead: [(SequenceNumber, SequenceNumber); 4],

    /// Microseconds; zero before there is a measure (RFC 6298).
    pub(crate) srtt: u32,
    pub(crate) rttvar: u32,
    pub(crate) rto: u32,
    /// The sequence number whose acknowledgement is a measure, and when it was sent.
    pub(crate) timed: Option<(SequenceNumber, Instant)>,
    /// Retransmission, probe of a closed window, or the end of waiting, whichever the state has.
    pub(crate) timer: Instant,
    /// When an acknowledgement is due.
    pub(crate) ack_at: Instant,
    /// When the peer is to be asked whether it is there.
    pub(crate) ask_at: Instant,
    pub(crate) asked: u8,
    /// Until then doubtful segments are not answered.
    pub(crate) quiet: Instant,
    /// When something that was waited for was last acknowledged, or began to be waited for.
    pub(crate) progress: Instant,
    pub(crate) keepalive: Option<Keepalive>,
    pub(crate) patience: Duration,

    pub(crate) readers: WaitList,
    pub(crate) writers: WaitList,
    /// The next in the queue of those that have something to send.
    pub(crate) behind: u16,
}

impl Slot {
    /// One that is free.
    pub const EMPTY: Self = {
        let zero = SequenceNumber(0);
        Self {
            state: State::Free,
            generation: 0,
            local_port: 0,
            remote: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
            listener: 0,
            owned: false,
            waits: false,
            queued: false,
            ack_now: false,
            resend: false,
            probe: false,
            ask: false,
            reset: false,
            ended: false,
            end_acknowledged: false,
            heard_end: false,
            passive: false,
            deaf: false,
            nodelay: false,
            recovering: false,
            error: None,
            outbox: Ring::EMPTY,
            una: zero,
            next: zero,
            top: zero,
            window: 0,
            largest_window: 0,
            told_by: (zero, zero),
            mss: 0,
            congestion_window: 0,
            threshold: u32::MAX,
            recover: zero,
            duplicates: 0,
            inbox: Ring::EMPTY,
            expected: zero,
            edge: zero,
            end: None,
            ahead: [(zero, zero); 4],
            srtt: 0,
            rttvar: 0,
            rto: FIRST_RTO,
            timed: None,
            timer: NEVER,
            ack_at: NEVER,
            ask_at: NEVER,
            asked: 0,
            quiet: Instant::ZERO,
            progress: Instant::ZERO,
            keepalive: None,
            patience: PATIENCE,
            readers: WaitList::EMPTY,
            writers: WaitList::EMPTY,
            behind: 0,
        }
    };
}

impl Default for Slot {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// How long data may stay unacknowledged (RFC 9293 §3.8.3: R2 of at least 100 seconds).
const PATIENCE: Duration = Duration::from_secs(120);

/// The shortest time between two things that nobody has asked for.
pub(crate) const BREATH: Duration = Duration::from_millis(10);

impl Slot {
    /// Takes what the application wants.
    pub(crate) fn set_options(&mut self, now: Instant, options: &TcpOptions) {
        self.nodelay = options.nodelay;
        self.patience = options.user_timeout.unwrap_or(PATIENCE);
        self.keepalive = options.keepalive;
        self.heard(now);
    }

    /// The peer has shown that it is there.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.asked = 0;
        self.ask_at = self.keepalive.map_or(NEVER, |keepalive| now.saturating_add(keepalive.after.max(BREATH)));
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Instant {
        self.timer.min(self.ack_at).min(self.ask_at)
    }

    /// Begins with the sequence number `isn`.
    pub(crate) fn begin(&mut self, isn: SequenceNumber) {
        (self.una, self.next, self.top, self.recover) = (isn, isn, isn, isn);
    }

    /// Whether bytes can go both ways, or could.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether there is nothing to read behind what is there.
    pub(crate) fn reads_end(&self) -> bool {
        self.heard_end || self.deaf || matches!(self.state, State::Dead | State::TimeWait)
    }

    /// Whether the application may still write.
    pub(crate) fn takes(&self) -> bool {
        !self.ended && !matches!(self.state, State::Dead | State::TimeWait)
    }

    /// The window that the peer may be told, with `room` bytes of buffer. Its right edge never moves back, and moves on only
    /// by something worth a segment (RFC 9293 §3.8.6.2.2).
    pub(crate) fn new_window(&self, room: u32) -> u32 {
        let (free, told) = (room - self.inbox.len, self.edge.since(self.expected));
        if free >= told + room.div_ceil(2).min(self.mss.into()) { free } else { told }
    }

    /// Bytes that were sent and not acknowledged, SYN and FIN counted.
    pub(crate) fn in_flight(&self) -> u32 {
        self.top.since(self.una)
    }

    /// Starts the timer of what is in flight.
    pub(crate) fn start_timer(&mut self, now: Instant) {
        let patience_ends = self.progress.saturating_add(self.patience);
        self.timer = now.saturating_add(Duration::from_micros(self.rto.into())).min(patience_ends);
    }

    /// Backs off (RFC 6298 §5.5).
    pub(crate) fn back_off(&mut self) {
        self.rto = self.rto.saturating_mul(2).min(MOST_RTO);
    }

    /// A round trip took so long (RFC 6298 §2).
    pub(crate) fn measured(&mut self, took: Duration) {
        let took = u32::try_from(took.as_micros()).unwrap_or(MOST_RTO).clamp(1, MOST_RTO);
        if self.srtt == 0 {
            (self.srtt, self.rttvar) = (took, took / 2);
        } else {
            self.rttvar = self.rttvar - self.rttvar / 4 + self.srtt.abs_diff(took) / 4;
            self.srtt = self.srtt - self.srtt / 8 + took / 8;
        }
    }

    /// The timeout that follows from what was measured.
    pub(crate) fn settle_rto(&mut self) {
        if self.srtt > 0 {
            self.rto = self.srtt.saturating_add((4 * self.rttvar).max(1_000)).clamp(LEAST_RTO, MOST_RTO);
        }
    }
}
