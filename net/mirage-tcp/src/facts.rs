//! What is so of a connection, or is not: one bit for each.

use crate::Profile;
use crate::connection::Slot;
use crate::cork::Hold;
use crate::path::Stage;
use crate::recovery::Phase;

impl<P: Profile> Slot<P> {
    /// Whether all of `facts` are so; they are not any more.
    pub(crate) fn take(&mut self, facts: Facts) -> bool {
        let so = self.facts.contains(facts);
        self.facts -= facts;
        so
    }
}

impl<P: Profile> Slot<P> {
    /// Whether all that changes seldom is as it mostly is between two who have timestamps and selective acknowledgments. Whoever
    /// changes any of it says that it is [to be found out](Self::set_calm) again, unless that is for the better.
    pub(crate) fn is_calm(&self) -> bool {
        P::SELECTIVE
            && P::TIMESTAMPS
            && self.stamps.is_on()
            && self.selective()
            && self.recovery.phase == Phase::Open
            && self.hold == Hold::Nothing
            && !self.unsent_limit.is_set()
            && !(P::MARKS && self.marks.is_on())
            && !(P::RECORDS && self.send.has_records())
            && !(P::PROBING && (self.path.is_searched() || self.path.stage() == Stage::Probing))
            && !(P::FAST_OPEN && self.syn_len > 0)
    }

    /// Finds out whether it is so.
    #[inline(never)]
    pub(crate) fn calm_down(&mut self) {
        let calm = self.is_calm();
        self.set_calm(calm);
    }
}

impl Facts {
    /// What is not so of a connection that sends as usual.
    pub(crate) const SENDS_UNUSUALLY: Self =
        Self::PROBE.union(Self::PROBE_TAIL).union(Self::ASK).union(Self::SYN_DUE).union(Self::UNCONFIRMED);
    /// What is not so of one that begins an exchange as usual.
    pub(crate) const BEGINS_UNUSUALLY: Self = Self::SENDS_UNUSUALLY
        .union(Self::FIN_QUEUED)
        .union(Self::FLUSHING)
        .union(Self::READ_SHUT)
        .union(Self::PARTIAL_CHECKSUM);
    /// What is not so of a connection that receives as usual.
    pub(crate) const HEARS_UNUSUALLY: Self = Self::FIN_EARLY.union(Self::UNCONFIRMED);
    /// What is not so of one that hears in an exchange as usual.
    pub(crate) const ANSWERS_UNUSUALLY: Self = Self::HEARS_UNUSUALLY.union(Self::READ_SHUT);
}

/// Names each bit, and how it is asked for and changed.
macro_rules! facts {
    ($($(#[doc = $doc:literal])* $flag:ident, $ask:ident, $set:ident;)*) => {
        bitflags::bitflags! {
            /// What is so of a connection.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) struct Facts: u32 {
                $($(#[doc = $doc])* const $flag = 1 << (Bit::$flag as u32);)*
            }
        }

        /// Which bit it is.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "named as the bits are")]
        enum Bit { $($flag),* }

        impl<P: Profile> Slot<P> {
            $(
                $(#[doc = $doc])*
                #[inline(always)]
                pub(crate) fn $ask(&self) -> bool {
                    self.facts.contains(Facts::$flag)
                }

                #[inline(always)]
                pub(crate) fn $set(&mut self, so: bool) {
                    self.facts.set(Facts::$flag, so);
                }
            )*
        }
    };
}

facts! {
    /// Whether this is a connection at all, be it ended.
    IN_USE, in_use, set_in_use;
    /// Whether an application holds it, or will once it accepts.
    HELD, held, set_held;
    /// Whether segments can still find it. Not in TIME-WAIT, where a [`TimeWaitSlot`](crate::TimeWaitSlot) is found.
    LINKED, linked, set_linked;
    /// Whether the device cuts it into segments; otherwise we do.
    DEVICE_CUTS, device_cuts, set_device_cuts;
    /// Whether the device completes checksums.
    PARTIAL_CHECKSUM, partial_checksum, set_partial_checksum;
    /// Whether window scaling was, or is to be, agreed on.
    SCALING, scaling, set_scaling;
    /// Small writes go at once.
    NODELAY, nodelay, set_nodelay;
    /// Whoever wrote last said that more follows: no PSH ends the queue.
    UNPUSHED, unpushed, set_unpushed;
    /// The application has ended our direction: a FIN follows the send queue.
    FIN_QUEUED, fin_queued, set_fin_queued;
    /// The peer has our FIN.
    FIN_ACKED, fin_acked, set_fin_acked;
    /// The congestion window, not the peer's and not the application, decided how much went out last.
    CONGESTION_LIMITED, congestion_limited, set_congestion_limited;
    /// A router said that there is no way to the peer.
    UNREACHABLE, unreachable, set_unreachable;
    /// A probe of the closed window shall be sent.
    PROBE, probe, set_probe;
    /// A probe of the flight's tail shall be sent.
    PROBE_TAIL, probe_tail, set_probe_tail;
    /// What was never sent goes before what may be lost (RFC 5682 §2.1, step 2 (b)).
    NEW_FIRST, new_first, set_new_first;
    /// The pace, not the window, decides when the next segment goes.
    PACED, paced, set_paced;
    /// Both ends understand selective acknowledgments.
    SELECTIVE, selective, set_selective;
    /// A keepalive probe shall be sent.
    ASK, ask, set_ask;
    /// Somebody waits until everything was sent.
    FLUSHING, flushing, set_flushing;
    /// The peer has yet to acknowledge our SYN, although all goes on as if it had: `una` is behind it.
    UNCONFIRMED, unconfirmed, set_unconfirmed;
    /// Our SYN-ACK is to be sent, for the first time or again.
    SYN_DUE, syn_due, set_syn_due;
    /// The peer's FIN came before data that it follows: it is at [`fin_at`](Slot::fin_at).
    FIN_EARLY, fin_early, set_fin_early;
    /// The peer's FIN is in order: nothing follows.
    ENDED, ended, set_ended;
    /// The application reads no more: what comes is thrown away.
    READ_SHUT, read_shut, set_read_shut;
    /// An acknowledgement is to be sent at once.
    ACK_NOW, ack_now, set_ack_now;
    /// It counts among those its peer holds.
    COUNTED, is_counted, set_counted;
    /// Data came or went with the first SYN, and was taken.
    SYN_DATA, has_syn_data, set_syn_data;
    /// Our SYN carries a cookie, or asks for one.
    ASKS_COOKIE, asks_cookie, set_asks_cookie;
    /// What changes seldom was last found to be as it mostly is, and did not change since: [`is_calm`](Slot::is_calm).
    CALM, calm, set_calm;
}
