//! How much may be under way: what a controller is told, what it answers, and the controllers.
//!
//! A controller keeps no time and sees no segment: numbers in, a window out. All have the methods of [`NewReno`]; a second
//! one makes an `enum` of them.

mod newreno;

use mirage_checksum::SequenceNumber;

pub(crate) use newreno::NewReno;

/// What the sender should do after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Go on: send what the window allows.
    Nothing,
    /// Send the first unacknowledged segment again at once, whatever the window.
    Retransmit,
}

/// What a controller is told of the sender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    /// SND.UNA, after the acknowledgement if one came.
    pub(crate) una: SequenceNumber,
    /// The highest number ever sent: everything before it was sent at least once.
    pub(crate) max: SequenceNumber,
    /// Whether the congestion window was what kept the sender from sending more. An application that writes little does
    /// not prove that the path could take more (RFC 7661 §4.3).
    pub(crate) limited: bool,
}
