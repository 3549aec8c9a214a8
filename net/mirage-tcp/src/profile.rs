//! What a machine can do, chosen when it is compiled.

use core::convert::Infallible;
use core::fmt::Debug;
use core::marker::PhantomData;

use mirage_congestion::{Congestion, Reno};
use mirage_cubic::Cubic;

/// What a machine can do, chosen when it is compiled: what a profile leaves out costs no byte of code.
///
/// [`Standard`] has everything; [`Small`] is for images where each byte counts. A profile of your own is a type without
/// values:
///
/// ```
/// use mirage_tcp::Profile;
///
/// #[derive(Clone, Copy, Debug)]
/// enum Bulk {}
///
/// impl Profile for Bulk {
///     type Congestion = mirage_congestion::Reno;
///     const FAST_OPEN: bool = false;
/// }
/// ```
pub trait Profile: Copy + Debug + 'static {
    /// How fast it sends.
    type Congestion: Congestion;
    /// Selective acknowledgments both ways (RFC 2018, RFC 2883), and with them records of what is under way: loss detection by
    /// time (RACK-TLP, RFC 8985), proportional reduction (RFC 6937), undoing what was a mistake (RFC 5682), the shortest round
    /// trip, rates of delivery for the congestion controller, and pacing if it wants that. Without them the timer and three
    /// duplicates tell of losses (RFC 6582), and [`Storage::runs`](crate::Storage::runs) may be empty.
    const SELECTIVE: bool = true;
    /// Timestamps, and protection against numbers from long ago (RFC 7323).
    const TIMESTAMPS: bool = true;
    /// Explicit congestion notification (RFC 3168).
    const MARKS: bool = true;
    /// SYN cookies when the table of half-open connections is full (RFC 4987).
    const COOKIES: bool = true;
    /// Connections that are opened from here. Without that [`Tcp::connect`](crate::Tcp::connect) refuses: for servers that only
    /// answer.
    const OPENS: bool = true;
    /// Data in the SYN (RFC 7413), for those who turn it on.
    const FAST_OPEN: bool = true;
    /// Remembering the MTU of paths, claims of routers that wait for confirmation (RFC 5927), and finding the MTU by longer
    /// segments (RFC 8899).
    const PROBING: bool = true;
    /// Writes that end with a segment ([`Tcp::poll_write_record`](crate::Tcp::poll_write_record)).
    const RECORDS: bool = true;
    /// Buffers that grow with need.
    const TUNING: bool = true;
    /// What comes behind a hole is kept until the hole is filled. Without that it is dropped, and its peer sends it again.
    const HOLES: bool = true;
    /// Counting how many connections each peer holds, for [`Config::per_peer`](crate::Config::per_peer).
    const PEERS: bool = true;
    /// Short cuts for the segments that are usual: header prediction, bytes that are summed while they are copied, and what
    /// nearly every segment needs in each place that needs it. They change how long things take, and nothing else; without
    /// them there is one way for all, and one piece of code.
    const STRAIGHT: bool = true;
    /// Many segments are planned and booked as one, with a header that is made once. Without that each goes by itself.
    const BURSTS: bool = true;
}

/// Everything, with CUBIC.
#[derive(Clone, Copy, Debug)]
pub enum Standard {}

impl Profile for Standard {
    type Congestion = Cubic;
}

/// The bare necessities, with Reno: for images where each byte counts.
#[derive(Clone, Copy, Debug)]
pub enum Small {}

impl Profile for Small {
    type Congestion = Reno;
    const SELECTIVE: bool = false;
    const TIMESTAMPS: bool = false;
    const MARKS: bool = false;
    const COOKIES: bool = false;
    const FAST_OPEN: bool = false;
    const PROBING: bool = false;
    const RECORDS: bool = false;
    const TUNING: bool = false;
    const HOLES: bool = false;
    const PEERS: bool = false;
    const STRAIGHT: bool = false;
    const BURSTS: bool = false;
}

/// Like `P`, for who only answers: no connections are opened ([`Profile::OPENS`]).
#[derive(Clone, Copy, Debug)]
pub struct Answering<P>(Infallible, PhantomData<P>);

impl<P: Profile> Profile for Answering<P> {
    type Congestion = P::Congestion;
    const SELECTIVE: bool = P::SELECTIVE;
    const TIMESTAMPS: bool = P::TIMESTAMPS;
    const MARKS: bool = P::MARKS;
    const COOKIES: bool = P::COOKIES;
    const OPENS: bool = false;
    const FAST_OPEN: bool = P::FAST_OPEN;
    const PROBING: bool = P::PROBING;
    const RECORDS: bool = P::RECORDS;
    const TUNING: bool = P::TUNING;
    const HOLES: bool = P::HOLES;
    const PEERS: bool = P::PEERS;
    const STRAIGHT: bool = P::STRAIGHT;
    const BURSTS: bool = P::BURSTS;
}
