//! Two flows that are connected in memory.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use embedded_io_async::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use crate::{Direction, Shutdown, Split};

/// One end of a [`pipe`].
#[derive(Debug)]
pub struct Pipe {
    incoming: Rc<RefCell<Lane>>,
    outgoing: Rc<RefCell<Lane>>,
}

/// The half of a [`Pipe`] that reads.
#[derive(Debug)]
pub struct PipeReader<'a>(&'a Pipe);

/// The half of a [`Pipe`] that writes.
#[derive(Debug)]
pub struct PipeWriter<'a>(&'a Pipe);

/// Two flows on one thread: what one writes, the other reads. At most `capacity` bytes, at least one, wait in each
/// direction; then writers wait.
///
/// Writing fails with `BrokenPipe` after the direction was ended or the other end was dropped. All methods are
/// cancel-safe: bytes are moved only when a future is ready.
pub fn pipe(capacity: usize) -> (Pipe, Pipe) {
    let (there, back) = (Lane::new(capacity), Lane::new(capacity));
    (Pipe { incoming: back.clone(), outgoing: there.clone() }, Pipe { incoming: there, outgoing: back })
}

/// One direction.
#[derive(Debug)]
struct Lane {
    /// Invariant: at most `capacity`.
    bytes: VecDeque<u8>,
    capacity: usize,
    /// The writer has ended it.
    ended: bool,
    /// The reader throws everything away.
    deaf: bool,
    /// The reader was dropped.
    broken: bool,
    waiting: Vec<Waker>,
}

impl Lane {
    fn new(capacity: usize) -> Rc<RefCell<Self>> {
        let lane = Self {
            bytes: VecDeque::new(),
            capacity: capacity.max(1),
            ended: false,
            deaf: false,
            broken: false,
            waiting: Vec::new(),
        };
        Rc::new(RefCell::new(lane))
    }

    fn can_read(&self) -> bool {
        !self.bytes.is_empty() || self.ended || self.deaf
    }

    fn can_write(&self) -> bool {
        self.bytes.len() < self.capacity || self.ended || self.deaf || self.broken
    }

    fn read(&mut self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, ErrorKind>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if !self.can_read() {
            return self.wait(cx);
        }
        let mut count = 0;
        for (slot, byte) in buffer.iter_mut().zip(self.bytes.iter()) {
            *slot = *byte;
            count += 1;
        }
        self.bytes.drain(..count);
        self.wake();
        Poll::Ready(Ok(count))
    }

    fn write(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, ErrorKind>> {
        if self.ended || self.broken {
            return Poll::Ready(Err(ErrorKind::BrokenPipe));
        }
        if self.deaf || bytes.is_empty() {
            return Poll::Ready(Ok(bytes.len()));
        }
        if !self.can_write() {
            return self.wait(cx);
        }
        let count = bytes.len().min(self.capacity - self.bytes.len());
        self.bytes.extend(&bytes[..count]);
        self.wake();
        Poll::Ready(Ok(count))
    }

    fn end(&mut self) {
        self.ended = true;
        self.wake();
    }

    fn deafen(&mut self) {
        self.deaf = true;
        self.bytes.clear();
        self.wake();
    }

    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !self.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn wake(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

impl Pipe {
    fn end(&self, direction: Direction) {
        if matches!(direction, Direction::Read | Direction::Both) {
            self.incoming.borrow_mut().deafen();
        }
        if matches!(direction, Direction::Write | Direction::Both) {
            self.outgoing.borrow_mut().end();
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.outgoing.borrow_mut().end();
        let mut incoming = self.incoming.borrow_mut();
        incoming.broken = true;
        incoming.wake();
    }
}

impl ErrorType for Pipe {
    type Error = ErrorKind;
}

impl Read for Pipe {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        PipeReader(self).read(buffer).await
    }
}

impl ReadReady for Pipe {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        PipeReader(self).read_ready()
    }
}

impl Write for Pipe {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        PipeWriter(self).write(bytes).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl WriteReady for Pipe {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        PipeWriter(self).write_ready()
    }
}

impl Shutdown for Pipe {
    async fn shutdown(&mut self, direction: Direction) -> Result<(), ErrorKind> {
        self.end(direction);
        Ok(())
    }
}

impl Split for Pipe {
    type Reader<'a> = PipeReader<'a>;
    type Writer<'a> = PipeWriter<'a>;

    fn split(&mut self) -> (PipeReader<'_>, PipeWriter<'_>) {
        (PipeReader(self), PipeWriter(self))
    }
}

impl ErrorType for PipeReader<'_> {
    type Error = ErrorKind;
}

impl Read for PipeReader<'_> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| self.0.incoming.borrow_mut().read(cx, buffer)).await
    }
}

impl ReadReady for PipeReader<'_> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.0.incoming.borrow().can_read())
    }
}

impl ErrorType for PipeWriter<'_> {
    type Error = ErrorKind;
}

impl Write for PipeWriter<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| self.0.outgoing.borrow_mut().write(cx, bytes)).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl WriteReady for PipeWriter<'_> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.0.outgoing.borrow().can_write())
    }
}

impl Shutdown for PipeWriter<'_> {
    async fn shutdown(&mut self, direction: Direction) -> Result<(), ErrorKind> {
        self.0.end(direction);
        Ok(())
    }
}
