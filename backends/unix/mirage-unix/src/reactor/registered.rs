//! A file descriptor in the care of a reactor.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{Direction, Reactor, Token};

/// A non-blocking file descriptor that tasks wait for. Dropping it takes it out of the reactor and closes it.
#[derive(Debug)]
pub struct Registered<F: AsFd + 'static> {
    fd: Rc<F>,
    token: Token,
    reactor: Reactor,
    /// Somebody has waited for room to write: from then on the kernel is asked to tell of it.
    writes: Cell<bool>,
}

impl<F: AsFd + 'static> Registered<F> {
    /// Puts `fd`, which must not block, into the care of `reactor`.
    ///
    /// # Errors
    /// Those of the kernel: out of memory, or a descriptor that cannot be waited for (a regular file).
    pub fn new(reactor: &Reactor, fd: F) -> io::Result<Self> {
        let fd = Rc::new(fd);
        let token = reactor.0.slots.borrow_mut().insert(fd.clone());
        // Made first, so that its drop frees the slot when the kernel refuses.
        let registered = Self { fd, token, reactor: reactor.clone(), writes: Cell::new(false) };
        reactor.0.poller.add(registered.fd.as_fd(), token)?;
        Ok(registered)
    }

    /// The descriptor.
    #[inline]
    pub fn get_ref(&self) -> &F {
        &self.fd
    }

    /// Tries `operation`; when it would block, keeps `cx`'s waker until the descriptor is ready in `direction`.
    ///
    /// Always try through this method: readiness is told once, and only after an operation said "would block".
    ///
    /// # Errors
    /// Those of `operation`, but never `WouldBlock` and `Interrupted`. The first time that `direction` is `Write` and it
    /// would block: out of memory, from the kernel.
    #[inline]
    pub fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut operation: impl FnMut(&F) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            match operation(&self.fd) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if direction == Direction::Write && !self.writes.get() {
                        self.reactor.0.poller.add_write(self.fd.as_fd(), self.token)?;
                        self.writes.set(true);
                    }
                    self.reactor.0.slots.borrow_mut().keep(self.token, direction, cx.waker());
                    return Poll::Pending;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Whether the task of `cx` waits for `direction` already and the descriptor has not become ready since, as far as the
    /// last [`wait`](Reactor::wait) saw: to try now would most likely be for nothing. For tasks that are woken for many
    /// reasons; whoever is told of readiness in another way must try.
    #[inline]
    pub fn is_waiting(&self, cx: &Context<'_>, direction: Direction) -> bool {
        self.reactor.0.slots.borrow_mut().keeps(self.token, direction, cx.waker())
    }

    /// [`poll_io`](Self::poll_io) as a future. Cancel-safe: a dropped future has done nothing.
    ///
    /// # Errors
    /// Those of `operation`.
    pub async fn io<R>(&self, direction: Direction, mut operation: impl FnMut(&F) -> io::Result<R>) -> io::Result<R> {
        poll_fn(|cx| self.poll_io(cx, direction, &mut operation)).await
    }
}

impl<F: AsFd + 'static> Drop for Registered<F> {
    fn drop(&mut self) {
        // Refused only for a descriptor that was never added.
        let _ = self.reactor.0.poller.remove(self.fd.as_fd());
        let wakers = self.reactor.0.slots.borrow_mut().remove(self.token);
        drop(wakers);
    }
}
