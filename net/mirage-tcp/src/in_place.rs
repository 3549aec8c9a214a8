//! Reading and writing where the bytes lie, without a buffer of the application's own between.

use core::task::{Context, Poll};

use mirage_net::FrameWriter;

use crate::connection::todo;
use crate::kept::{FramesOf, NoFrames};
use crate::{ConnectionId, Error, Frames, Profile, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// Reads in place: `take` sees the oldest bytes that lie in one piece, or none at the end, and says how many of them it
    /// took.
    ///
    /// # Errors
    /// Those of [`poll_read`](Self::poll_read); `take` was not called then.
    pub fn poll_read_with<R>(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> (usize, R),
    ) -> Poll<Result<R, Error>> {
        self.poll_read_with_kept(id, cx, &NoFrames, take)
    }

    /// The same, where bytes may lie in `frames` that [`input_again`](Self::input_again) left there.
    ///
    /// # Errors
    /// Those of [`poll_read`](Self::poll_read); `take` was not called then.
    pub fn poll_read_with_kept<R>(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        frames: &(impl Frames + ?Sized),
        take: impl FnOnce(&[u8]) -> (usize, R),
    ) -> Poll<Result<R, Error>> {
        let Some((slot, resources)) = self.open(id) else { return Poll::Ready(Err(Error::Closed)) };
        match slot.readable(resources, cx) {
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false)) => return Poll::Ready(Ok(take(&[]).1)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        let Some(result) = slot.receive.take_front(&mut resources.pool, &FramesOf::<P, _>::new(frames), take) else {
            return Poll::Pending;
        };
        slot.after_read(resources);
        resources.relieve();
        self.settle(id.index);
        Poll::Ready(Ok(result))
    }

    /// Reads in place whatever has come: `take` sees one piece after the other, the oldest first, and says how many of its
    /// bytes it took; what it leaves of a piece is the last it sees. Gives how many bytes that were in all; 0 is the end of
    /// the peer's stream, or that nothing was taken.
    ///
    /// # Errors
    /// Those of [`poll_read`](Self::poll_read); `take` was not called then.
    #[inline]
    pub fn poll_read_each(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        take: impl FnMut(&[u8]) -> usize,
    ) -> Poll<Result<usize, Error>> {
        self.poll_read_each_kept(id, cx, &NoFrames, take)
    }

    /// The same, where bytes may lie in `frames` that [`input_again`](Self::input_again) left there.
    ///
    /// # Errors
    /// Those of [`poll_read`](Self::poll_read); `take` was not called then.
    #[inline]
    pub fn poll_read_each_kept(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        frames: &(impl Frames + ?Sized),
        mut take: impl FnMut(&[u8]) -> usize,
    ) -> Poll<Result<usize, Error>> {
        let Some((slot, resources)) = self.open(id) else { return Poll::Ready(Err(Error::Closed)) };
        match slot.readable(resources, cx) {
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false)) => return Poll::Ready(Ok(0)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        let mut is_shown = false;
        let count = slot.receive.take_each(&mut resources.pool, &FramesOf::<P, _>::new(frames), |bytes| {
            is_shown = true;
            take(bytes)
        });
        if !is_shown {
            // It lies in a frame that we are not shown.
            return Poll::Pending;
        }
        slot.after_read(resources);
        resources.relieve();
        self.settle(id.index);
        Poll::Ready(Ok(count))
    }

    /// Writes in place: `write` puts its bytes into the send buffer itself, at most as many as its writer has room for
    /// (at least one; what lies in one piece). Gives how many that were, and what `write` gives. It waits as
    /// [`poll_write`](Self::poll_write) does; `write` was not called then.
    ///
    /// # Errors
    /// Those of [`poll_write`](Self::poll_write).
    #[inline]
    pub fn poll_write_with<R>(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut FrameWriter<'_>) -> R,
    ) -> Poll<Result<(usize, R), Error>> {
        let (mut write, mut result) = (Some(write), None);
        let wrote = self.write_pieces(id, cx, (usize::MAX, true), |writer| {
            result = write.take().map(|write| write(writer));
        });
        match (wrote, result) {
            (Poll::Ready(Ok(count)), Some(result)) => Poll::Ready(Ok((count, result))),
            (Poll::Ready(Ok(_)), None) => Poll::Ready(Err(Error::Closed)),
            (Poll::Ready(Err(error)), _) => Poll::Ready(Err(error)),
            (Poll::Pending, _) => Poll::Pending,
        }
    }

    /// Writes up to `most` bytes in place: `write` is called for one piece of the send buffer after the other, and the first
    /// that it does not fill is the last. Gives how many bytes that were. It waits as [`poll_write`](Self::poll_write) does;
    /// `write` was not called then.
    ///
    /// # Errors
    /// Those of [`poll_write`](Self::poll_write).
    #[inline]
    pub fn poll_write_each(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        most: usize,
        write: impl FnMut(&mut FrameWriter<'_>),
    ) -> Poll<Result<usize, Error>> {
        self.write_pieces(id, cx, (most, false), write)
    }

    /// Up to `most` bytes, in one piece if it is done `once`.
    #[inline(always)]
    fn write_pieces(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        (most, once): (usize, bool),
        write: impl FnMut(&mut FrameWriter<'_>),
    ) -> Poll<Result<usize, Error>> {
        let Some((slot, resources)) = self.open(id) else { return Poll::Ready(Err(Error::Closed)) };
        match slot.writable() {
            Ok(true) if most == 0 => return Poll::Ready(Ok(0)),
            Ok(true) => {
                let (held, cuts) = (slot.receive.blocks(), slot.cuts());
                if P::TUNING && slot.send.len() >= slot.send_limit {
                    slot.grow_send_limit(&resources.config);
                }
                let limit = slot.send_limit.min(slot.most_queued(&resources.pool));
                let room = limit.saturating_sub(slot.send.len()) as usize;
                if let Some(count) = slot.send.fill_each(&mut resources.pool, room.min(most), once, held, cuts, write) {
                    if count > 0 {
                        slot.todo |= todo::OUTPUT;
                    }
                    self.settle(id.index);
                    return Poll::Ready(Ok(count));
                }
                if slot.send.len() == 0 {
                    // No acknowledgement will come that could wake it.
                    resources.wakers.register(&mut resources.starved, cx.waker());
                }
            }
            Ok(false) => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
        resources.wakers.register(&mut slot.writers, cx.waker());
        Poll::Pending
    }
}
