//! What became of what was sent: delivered, lost, on its way.
//!
//! A sender that knows selective acknowledgments (RFC 2018) finds losses by time (RACK-TLP, RFC 8985); without them three
//! duplicate acknowledgements tell (RFC 5681, RFC 6582).

mod duplicates;
mod episode;
mod plain;
mod proportional;
mod rack;
mod rate;
mod scoreboard;
mod tail;
mod undo;
mod usual;
mod whole;

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};

use crate::runs::Chain;
pub(crate) use episode::News;
pub(crate) use proportional::Proportional;
pub(crate) use rack::{Rack, Reordering};
pub(crate) use rate::{Delivery, Round};
pub(crate) use tail::Tail;
pub(crate) use undo::Undo;

/// What the sender of one connection knows of the fate of its bytes, beside what lies with them
/// ([`UnderWay`](crate::under_way::UnderWay)).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recovery {
    /// What is under way. Invariant: the runs lie between SND.UNA and SND.NXT without a gap, once established.
    pub(crate) chain: Chain,
    /// Bytes under way that the peer has (or, without selective acknowledgments, that its duplicates stand for).
    pub(crate) sacked: u32,
    /// Bytes under way that are thought lost and wait to be sent again.
    pub(crate) lost: u32,
    pub(crate) phase: Phase,
    /// SND.NXT when `phase` began: what is acknowledged when it ends.
    pub(crate) recover: SequenceNumber,
    /// Duplicate acknowledgements in a row, for peers without selective ones.
    pub(crate) duplicates: u8,
    /// The timeout that began `phase` may have been a mistake (F-RTO, RFC 5682).
    pub(crate) doubted: bool,
    pub(crate) delivery: Delivery,
    pub(crate) reordering: Reordering,
}

/// Whether losses are being repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No loss is known.
    Open,
    /// A loss was noticed; it ends when `recover` is acknowledged.
    Recovery,
    /// The same after a retransmission timeout.
    Loss,
}

/// What an acknowledgement brought to light.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    /// Bytes acknowledged in order.
    pub(crate) acked: u32,
    /// Bytes that arrived, acknowledged in order or selectively.
    pub(crate) delivered: u32,
    /// The shortest time between the last sending of something that was sent only once and its acknowledgement.
    pub(crate) rtt: Option<Duration>,
    /// Something arrived that was sent more than once.
    pub(crate) resent: bool,
    /// Something arrived that was sent only once, before the present phase began.
    pub(crate) original: bool,
    /// Something was acknowledged selectively for the first time.
    pub(crate) selected: bool,
    /// The peer told of something that it got twice (RFC 2883).
    pub(crate) twice: bool,
    /// When what was sent last among what arrived was sent, and how things stood then.
    pub(crate) newest: Option<(Instant, crate::runs::Mark, bool)>,
}

impl Tally {
    pub(crate) const NOTHING: Self = Self {
        acked: 0,
        delivered: 0,
        rtt: None,
        resent: false,
        original: false,
        selected: false,
        twice: false,
        newest: None,
    };
}

impl Recovery {
    pub(crate) const fn new() -> Self {
        Self {
            chain: Chain::EMPTY,
            sacked: 0,
            lost: 0,
            phase: Phase::Open,
            recover: SequenceNumber(0),
            duplicates: 0,
            doubted: false,
            delivery: Delivery::NEW,
            reordering: Reordering::NEW,
        }
    }
}
