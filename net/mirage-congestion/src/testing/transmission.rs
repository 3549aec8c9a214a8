//! A segment under way, with what its sender knew when it left (draft-ietf-ccwg-bbr §4.1.2.1.2).

use mirage_clock::Instant;

#[derive(Clone, Copy, Debug)]
pub(super) struct Transmission {
    pub(super) segment: u64,
    pub(super) sent_at: Instant,
    pub(super) first_sent_at: Instant,
    pub(super) delivered_at: Instant,
    pub(super) delivered: u64,
    pub(super) lost: u64,
    pub(super) in_flight: u32,
    pub(super) app_limited: bool,
    /// Neither arrived nor thought lost.
    pub(super) under_way: bool,
}
