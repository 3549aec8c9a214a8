//! The flow under an exchange, with a buffer before it and a limit to every wait.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

use mirage_clock::{Instant, Monotonic, Sleep, Wall};
use mirage_flow::{Direction, Error as _, Read, Shutdown, Write};

use crate::patience::Patience;
use crate::{Limits, date};

use super::{Config, Error};

/// What an exchange goes over. [`serve`](super::serve) makes it of a flow, a clock and a buffer; handlers only name it.
#[diagnostic::on_unimplemented(message = "`{Self}` is not what exchanges go over: only `serve` makes that")]
#[expect(private_bounds, reason = "sealed: how bytes go out is not for others to implement")]
pub trait Io: Wire {}

/// What [`Io`] can do.
pub(crate) trait Wire {
    /// The time.
    fn now(&self) -> Instant;
    /// The date to send.
    fn date(&mut self) -> Option<[u8; 29]>;
    /// The part of the output buffer that is free.
    fn room(&mut self) -> &mut [u8];
    /// So much of it was filled.
    fn fill(&mut self, count: usize);
    /// Whether nothing waits in it.
    fn is_empty(&self) -> bool;
    /// Whether half of it is free.
    fn has_room(&self) -> bool;
    /// Copies what fits of `bytes` to it, and says how much that was.
    fn gather(&mut self, bytes: &[u8]) -> usize;
    /// How much of an unread body is read away.
    fn drain(&self) -> u64;
    /// A request's answer has not begun.
    fn begin(&mut self);
    /// It has.
    fn begun(&mut self);
    /// Whether it has.
    fn has_begun(&self) -> bool;
    /// It is complete, and the connection goes on, or not.
    fn complete(&mut self, keep_alive: bool);
    /// Whether the last answer was complete and the connection goes on.
    fn keeps_alive(&self) -> bool;
    /// Receives at least one byte; 0 at the end of the stream, `None` when it is too late.
    fn receive(&mut self, into: &mut [u8], until: Instant) -> impl Future<Output = Result<Option<usize>, Error>>;
    /// Sends `bytes`: small ones are gathered in the output buffer, large ones go to the flow as they are. With `flush` all
    /// that the buffer holds goes out, too.
    fn put(&mut self, bytes: &[u8], flush: bool) -> impl Future<Output = Result<(), Error>>;
}

/// The one implementation.
pub(crate) struct Line<'l, F, C, S> {
    flow: F,
    clock: &'l C,
    sleep: &'l S,
    output: &'l mut [u8],
    /// Invariant: at most `output.len()`.
    filled: usize,
    patience: Patience,
    drain: u64,
    wall: Option<&'l dyn Wall>,
    /// The date that was sent last, by the second.
    date: Option<(i64, [u8; 29])>,
    answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    None,
    Begun,
    Complete { keep_alive: bool },
}

impl<'l, F: Read + Write + Shutdown, C: Monotonic, S: Sleep> Line<'l, F, C, S> {
    pub(crate) fn new(flow: F, clock: &'l C, sleep: &'l S, output: &'l mut [u8], config: &Config<'l>) -> Self {
        let patience = Patience::new(config.limits.stall_time, config.limits.rate);
        let (drain, wall) = (config.limits.drain, config.wall);
        Self { flow, clock, sleep, output, filled: 0, patience, drain, wall, date: None, answer: Answer::None }
    }

    /// Ends our side and reads on for a while: a stream that is closed while unread bytes wait is reset, and the peer
    /// may lose our last response with it (RFC 9112 §9.6).
    pub(crate) async fn linger(&mut self, scratch: &mut [u8], ended: bool, limits: &Limits) {
        if self.flow.shutdown(Direction::Write).await.is_err() || ended || scratch.is_empty() {
            return;
        }
        let until = self.now() + limits.linger_time;
        let mut most = limits.drain;
        while let Ok(Some(count @ 1..)) = self.receive(scratch, until).await {
            match most.checked_sub(count as u64) {
                Some(left) if self.now() < until => most = left,
                _ => break,
            }
        }
    }

    pub(crate) async fn shutdown(&mut self) {
        // There is nobody left to tell of a failure.
        let _ = self.flow.shutdown(Direction::Both).await;
    }
}

impl<F: Read + Write + Shutdown, C: Monotonic, S: Sleep> Io for Line<'_, F, C, S> {}

impl<F: Read + Write + Shutdown, C: Monotonic, S: Sleep> Wire for Line<'_, F, C, S> {
    #[inline]
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn date(&mut self) -> Option<[u8; 29]> {
        let seconds = self.wall?.timestamp()?.seconds;
        match self.date {
            Some((last, text)) if last == seconds => Some(text),
            _ => {
                let text = date::format(seconds)?;
                self.date = Some((seconds, text));
                Some(text)
            }
        }
    }

    fn room(&mut self) -> &mut [u8] {
        self.output.get_mut(self.filled..).unwrap_or_default()
    }

    fn fill(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.output.len());
    }

    fn is_empty(&self) -> bool {
        self.filled == 0
    }

    fn has_room(&self) -> bool {
        self.filled <= self.output.len() / 2
    }

    fn gather(&mut self, bytes: &[u8]) -> usize {
        let count = crate::incoming::copy(bytes, self.room());
        self.fill(count);
        count
    }

    fn drain(&self) -> u64 {
        self.drain
    }

    fn begin(&mut self) {
        self.answer = Answer::None;
    }

    fn begun(&mut self) {
        self.answer = Answer::Begun;
    }

    fn has_begun(&self) -> bool {
        self.answer != Answer::None
    }

    fn complete(&mut self, keep_alive: bool) {
        self.answer = Answer::Complete { keep_alive };
    }

    fn keeps_alive(&self) -> bool {
        self.answer == Answer::Complete { keep_alive: true }
    }

    async fn receive(&mut self, into: &mut [u8], until: Instant) -> Result<Option<usize>, Error> {
        let (mut work, mut limit) = (pin!(self.flow.read(into)), pin!(self.sleep.sleep_until(until)));
        match poll_fn(|context| within(work.as_mut(), limit.as_mut(), context)).await {
            Some(Ok(count)) => Ok(Some(count)),
            Some(Err(error)) => Err(Error::Flow(error.kind())),
            None => Ok(None),
        }
    }

    async fn put(&mut self, bytes: &[u8], flush: bool) -> Result<(), Error> {
        let mut bytes = bytes;
        loop {
            let direct = self.filled == 0 && bytes.len() >= self.output.len();
            if !direct {
                // A copy of what fits: it goes out with what waits there, in one segment.
                let count = self.gather(bytes);
                bytes = bytes.get(count..).unwrap_or_default();
                if bytes.is_empty() && !(flush && self.filled > 0) {
                    return Ok(());
                }
            }
            let mut sent = 0;
            loop {
                let waiting = if direct { bytes } else { self.output.get(..self.filled).unwrap_or_default() };
                let Some(waiting) = waiting.get(sent..).filter(|waiting| !waiting.is_empty()) else { break };
                let written = {
                    let (clock, sleep, patience) = (self.clock, self.sleep, &mut self.patience);
                    // A write that is done at once has not waited, and asks no clock.
                    let limit = async { sleep.sleep_until(patience.wait(clock.now())).await };
                    let (mut work, mut limit) = (pin!(self.flow.write(waiting)), pin!(limit));
                    poll_fn(|context| within(work.as_mut(), limit.as_mut(), context)).await
                };
                match written {
                    Some(Ok(count @ 1..)) => {
                        if self.patience.is_waiting() {
                            self.patience.reward(self.clock.now(), count);
                        } else {
                            self.patience.refill(count);
                        }
                        sent += count;
                    }
                    Some(Ok(0)) => return Err(Error::Flow(mirage_flow::ErrorKind::WriteZero)),
                    Some(Err(error)) => return Err(Error::Flow(error.kind())),
                    None => return Err(Error::Slow),
                }
            }
            if direct {
                return Ok(());
            }
            self.filled = 0;
        }
    }
}

/// What `work` gives, or `None` when `limit` ends before it. The limit is not looked at, and no timer set, when the
/// work is done at once.
#[inline]
fn within<T>(
    work: Pin<&mut impl Future<Output = T>>,
    limit: Pin<&mut impl Future<Output = ()>>,
    context: &mut Context<'_>,
) -> Poll<Option<T>> {
    match work.poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => limit.poll(context).map(|()| None),
    }
}
