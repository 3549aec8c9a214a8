//! The states, and what each does to the rate and the window (draft-ietf-ccwg-bbr §5.6.1).

/// Where the sender is in its search for the path's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Doubling the rate each round trip.
    Startup,
    /// Letting the queue that Startup made run empty.
    Drain,
    /// Sending slower than the path delivers.
    Down,
    /// Sending as fast as the path delivers.
    Cruise,
    /// Filling the pipe before probing.
    Refill,
    /// Sending faster than the path delivers.
    Up,
    /// Sending little, to see the round trip of an empty queue.
    ProbeRtt,
}

impl State {
    /// How much faster than the bandwidth to send, in hundredths.
    pub(crate) fn pacing_gain(self) -> u64 {
        match self {
            Self::Startup => 277,
            Self::Drain => 50,
            Self::Down => 90,
            Self::Cruise | Self::Refill | Self::ProbeRtt => 100,
            Self::Up => 125,
        }
    }

    /// How many products of bandwidth and delay may be under way, in hundredths.
    pub(crate) fn cwnd_gain(self) -> u64 {
        match self {
            Self::Up => 225,
            Self::ProbeRtt => 50,
            _ => 200,
        }
    }

    pub(crate) fn is_probe_bw(self) -> bool {
        matches!(self, Self::Down | Self::Cruise | Self::Refill | Self::Up)
    }

    /// Whether it sends more than was known to fit, to find out.
    pub(crate) fn is_probing(self) -> bool {
        matches!(self, Self::Startup | Self::Refill | Self::Up)
    }
}

/// What acknowledgements tell about the last probe for bandwidth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AckPhase {
    /// Nothing.
    Init,
    Refilling,
    /// The probe began; acknowledgements are of what preceded it.
    ProbeStarting,
    ProbeFeedback,
    /// The probe ended; acknowledgements are of what it sent.
    ProbeStopping,
}
