//! Where a connection is in its life (RFC 9293 §3.3.2).

/// Where a connection is in its life (RFC 9293 §3.3.2). LISTEN is not among them: a listener is not a connection here,
/// and a connection that comes through one is no connection before its handshake is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// No connection at all: it has ended, and only its error or last bytes wait for the application.
    #[default]
    Closed,
    /// We asked and wait for the answer.
    SynSent,
    /// Both have asked at the same time, or the peer asked and waits for our answer.
    SynReceived,
    /// Data flows both ways.
    Established,
    /// We have ended our direction and wait for the peer to acknowledge or to end its own.
    FinWait1,
    /// Our end is acknowledged; the peer may still send.
    FinWait2,
    /// The peer has ended its direction; we may still send.
    CloseWait,
    /// Both have ended at the same time; the peer has yet to acknowledge our end.
    Closing,
    /// The peer ended first and has yet to acknowledge our end.
    LastAck,
    /// Both have ended and acknowledged; old segments die out.
    TimeWait,
}

impl State {
    /// Whether both sequence numbers are known (RFC 9293 §3.3.2: ESTABLISHED and later).
    pub(crate) const fn is_synchronized(self) -> bool {
        !matches!(self, Self::Closed | Self::SynSent | Self::SynReceived)
    }

    /// Whether the peer may still send data.
    pub(crate) const fn may_receive(self) -> bool {
        matches!(self, Self::Established | Self::FinWait1 | Self::FinWait2)
    }

    /// Whether one direction at least is ended, and not all is over yet.
    pub(crate) const fn is_closing(self) -> bool {
        matches!(self, Self::FinWait1 | Self::FinWait2 | Self::CloseWait | Self::Closing | Self::LastAck)
    }

    /// Whether the application may still write.
    pub(crate) const fn may_send(self) -> bool {
        matches!(self, Self::Established | Self::CloseWait)
    }

    /// Whether segments with data or FIN of ours may go out, for the first time or again.
    pub(crate) const fn may_transmit(self) -> bool {
        matches!(self, Self::Established | Self::CloseWait | Self::FinWait1 | Self::Closing | Self::LastAck)
    }
}
