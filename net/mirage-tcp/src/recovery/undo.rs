//! Finding out that nothing had been lost (Eifel, RFC 3522 and RFC 4015; DSACK, RFC 3708).

use zerocopy::FromZeros;

/// What tells whether the present recovery was a mistake.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct Undo {
    /// Whether it can still be undone.
    pub(crate) possible: bool,
    /// Bytes sent again that the peer has not told of as having got twice.
    pub(crate) unanswered: u32,
    /// Whether anything was sent again.
    pub(crate) resent: bool,
    /// Our timestamp when something was first sent again.
    pub(crate) stamp: u32,
}

impl Undo {
    pub(crate) const NEW: Self = Self { possible: false, unanswered: 0, resent: false, stamp: 0 };

    pub(crate) fn begin(&mut self) {
        *self = Self { possible: true, ..Self::NEW };
    }

    /// It is over: nothing of it can be undone any more.
    pub(crate) fn end(&mut self) {
        (self.possible, self.unanswered) = (false, 0);
    }

    /// `bytes` are sent again, with the timestamp `stamp`.
    pub(crate) fn on_resent(&mut self, bytes: u32, stamp: u32) {
        if !self.resent {
            (self.resent, self.stamp) = (true, stamp);
        }
        self.unanswered = self.unanswered.saturating_add(bytes);
    }

    /// The peer got `bytes` twice.
    pub(crate) fn on_twice(&mut self, bytes: u32) {
        self.unanswered = self.unanswered.saturating_sub(bytes);
    }

    /// Whether the first sending arrived after all: the peer echoes an earlier timestamp than that of the second, or got
    /// all that was sent again twice.
    pub(crate) fn is_mistake(&self, echo: Option<u32>) -> bool {
        if !self.possible || !self.resent {
            return self.possible && !self.resent;
        }
        let earlier = echo.is_some_and(|echo| (echo.wrapping_sub(self.stamp) as i32) < 0);
        earlier || self.unanswered == 0
    }
}
