//! Small writes that are collected because the application said that more will follow.

use core::task::{Context, Poll};

use crate::connection::{Slot, todo};
use crate::{ConnectionId, Error, Profile, Tcp};

/// Whether a segment that is not full may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It may, as far as Nagle's algorithm lets it.
    #[default]
    Nothing,
    /// The last write said that more follows. Word from the peer or a retransmission timeout without any releases it.
    Write,
    /// The application has corked the connection. Only a retransmission timeout without word from the peer releases it.
    Cork,
}

impl<P: Profile> Tcp<'_, P> {
    /// Sends only full segments (`true`) until it is called with `false`; what waits for a retransmission timeout goes out
    /// all the same. Linux calls this `TCP_CORK`.
    pub fn set_cork(&mut self, id: ConnectionId, cork: bool) {
        if let Some((slot, _)) = self.open(id) {
            slot.hold = if cork { Hold::Cork } else { Hold::Nothing };
            slot.todo |= todo::OUTPUT;
            self.settle(id.index);
        }
    }

    /// Writes as [`poll_write`](Self::poll_write) does and says that more will follow at once, so that it is not worth a small
    /// segment of its own. Linux calls this `MSG_MORE`.
    ///
    /// # Errors
    /// Those of `poll_write`.
    pub fn poll_write_more(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        self.write(id, cx, bytes, true)
    }
}

impl<P: Profile> Slot<P> {
    /// Something was written.
    #[inline]
    pub(crate) fn hold_back(&mut self, more: bool) {
        self.unpushed = more;
        match more {
            true if self.hold == Hold::Nothing => self.hold = Hold::Write,
            true => {}
            false => self.release(),
        }
    }

    /// An ordinary write, or word from the peer: nothing more is waited for.
    #[inline]
    pub(crate) fn release(&mut self) {
        if self.hold == Hold::Write {
            self.hold = Hold::Nothing;
        }
    }
}
