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
    /// The connection is not established, and the application waits to write: the acknowledgement of the peer's SYN rides on
    /// what that will be.
    Opening,
    /// The application has corked the connection. Only a retransmission timeout without word from the peer releases it.
    Cork,
}

/// What follows a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Perhaps nothing: it is to arrive.
    Push,
    /// More, at once.
    More,
    /// Another record.
    End,
}

impl<P: Profile> Tcp<'_, P> {
    /// Sends only full segments (`true`) until it is called with `false`; what waits for a retransmission timeout goes out
    /// all the same. Linux calls this `TCP_CORK`.
    pub fn set_cork(&mut self, id: ConnectionId, cork: bool) {
        if let Some((slot, _)) = self.open(id) {
            slot.set_calm(false);
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
        self.write(id, cx, bytes, Then::More)
    }

    /// Writes as [`poll_write`](Self::poll_write) does, and if all of `bytes` was taken, a segment ends there: what is written
    /// later never shares a segment with it, so that a receiver or a device sees where it ends. Each such write takes a block.
    /// Linux calls this `MSG_EOR`.
    ///
    /// # Errors
    /// Those of `poll_write`.
    pub fn poll_write_record(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        self.write(id, cx, bytes, Then::End)
    }
}

impl<P: Profile> Slot<P> {
    /// Something was written.
    #[inline]
    pub(crate) fn hold_back(&mut self, more: bool) {
        self.set_unpushed(more);
        match more {
            true if self.hold == Hold::Nothing => {
                self.set_calm(false);
                self.hold = Hold::Write;
            }
            true => {}
            false => self.release(),
        }
    }

    /// Something will be written once the connection is established.
    pub(crate) fn wait_to_write(&mut self) {
        if P::FAST_OPEN && self.hold == Hold::Nothing {
            self.set_calm(false);
            self.hold = Hold::Opening;
        }
    }

    /// The connection is established: whether something will be written at once.
    pub(crate) fn is_about_to_write(&mut self) -> bool {
        let waits = P::FAST_OPEN && self.hold == Hold::Opening;
        if waits {
            self.hold = Hold::Nothing;
        }
        waits
    }

    /// An ordinary write, or word from the peer: nothing more is waited for.
    #[inline]
    pub(crate) fn release(&mut self) {
        if self.hold == Hold::Write {
            self.hold = Hold::Nothing;
        }
    }
}
