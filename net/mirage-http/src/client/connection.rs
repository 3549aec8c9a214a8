//! One connection: responses come in the order of the requests (RFC 9112 §9.3).

use mirage_clock::Instant;

use crate::chunked::Decoder;
use crate::incoming::{Framing, Progress, copy};
use crate::{Field, Fields, Incoming, Limits, Method, Refusal, Status};

use super::Response;
use super::head::{self, Body, Head};

/// How much of the buffer is never used for a head, so that there is always space for a body.
const RESERVE: usize = 64;

/// The machine that reads responses. It stores bytes in the lent buffer, and tells what they are.
///
/// One request is under way at a time: write its head and body, say [`requested`](Self::requested), read the response,
/// say [`finish`](Self::finish).
#[derive(Debug)]
pub struct Connection<'b> {
    buffer: &'b mut [u8],
    fields: &'b mut [Field],
    limits: Limits,
    phase: Phase,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// A response to this method is coming; the request was sent then.
    Head {
        method: Method,
        since: Instant,
    },
    Body {
        head_end: usize,
        keep_alive: bool,
    },
    Failed(Refusal),
    Cut,
}

/// What to do.
#[derive(Debug)]
pub enum Step<'c> {
    /// Say [`Connection::requested`].
    Idle,
    /// Receive more bytes.
    NeedInput,
    /// Read this response, then say [`Connection::finish`].
    Response(Response<'c>, Incoming<'c>),
    /// A response is being read; [`Connection::body`] has its body.
    Reading,
    /// Close: the response is no HTTP/1.1, or was late.
    Refused(Refusal),
    /// Close: the stream ended before the response.
    Cut,
}

impl<'b> Connection<'b> {
    /// A new connection.
    ///
    /// `buffer` holds a head and what was received after it: heads are limited to its length less 64 bytes. `fields`
    /// bounds the number of header fields, with 100 at most.
    pub fn new(buffer: &'b mut [u8], fields: &'b mut [Field], limits: Limits) -> Self {
        let head = limits.head.min(buffer.len().saturating_sub(RESERVE)).min(usize::from(u16::MAX));
        let limits = Limits { head, ..limits };
        Self { buffer, fields, progress: Progress::new(&limits), limits, phase: Phase::Idle }
    }

    /// A request of that method was sent; its response has to come within [`Limits::head_time`] from `now`.
    pub fn requested(&mut self, now: Instant, method: Method) {
        if self.phase == Phase::Idle {
            self.phase = Phase::Head { method, since: now };
        }
    }

    /// Where to receive bytes; say how many with [`received`](Self::received).
    pub fn space(&mut self) -> &mut [u8] {
        let head_end = if let Phase::Body { head_end, .. } = self.phase { head_end } else { 0 };
        Incoming::new(self.buffer.get_mut(head_end..).unwrap_or_default(), &mut self.progress).into_space()
    }

    /// `count` bytes were received into [`space`](Self::space).
    pub fn received(&mut self, now: Instant, count: usize) {
        let head_end = if let Phase::Body { head_end, .. } = self.phase { head_end } else { 0 };
        Incoming::new(self.buffer.get_mut(head_end..).unwrap_or_default(), &mut self.progress).received(now, count);
    }

    /// Copies as much of `input` as fits and returns how much that was.
    pub fn input(&mut self, now: Instant, input: &[u8]) -> usize {
        let count = copy(input, self.space());
        self.received(now, count);
        count
    }

    /// The peer will send no more.
    pub fn input_ended(&mut self) {
        self.progress.ended = true;
    }

    /// What to do now. Responses with 1xx are passed over (RFC 9110 §15.2), except 101, which nobody asked for.
    pub fn next(&mut self, now: Instant) -> Step<'_> {
        let head = loop {
            let method = match self.phase {
                Phase::Head { method, .. } => method,
                Phase::Idle => return Step::Idle,
                Phase::Body { .. } => return Step::Reading,
                Phase::Failed(refusal) => return Step::Refused(refusal),
                Phase::Cut => return Step::Cut,
            };
            let waiting = self.buffer.get(self.progress.start..self.progress.end).unwrap_or_default();
            let waiting = waiting.get(..self.limits.head).unwrap_or(waiting);
            match head::parse(waiting, self.fields, method) {
                Ok(Some(head)) if head.status == Status::SWITCHING_PROTOCOLS => return self.fail(Refusal::Malformed),
                Ok(Some(head)) if head.status.is_informational() => self.progress.start += head.length,
                Ok(Some(head)) => break head,
                Ok(None) if waiting.len() == self.limits.head => return self.fail(Refusal::HeadTooLarge),
                Ok(None) if self.progress.ended => {
                    self.phase = Phase::Cut;
                    return Step::Cut;
                }
                Ok(None) if now >= self.poll_timeout() => return self.fail(Refusal::Timeout),
                Ok(None) => return Step::NeedInput,
                Err(refusal) => return self.fail(refusal),
            }
        };
        self.response(&head)
    }

    /// The body of the response that is being read, to read more of it.
    pub fn body(&mut self) -> Option<Incoming<'_>> {
        let Phase::Body { head_end, .. } = self.phase else { return None };
        Some(Incoming::new(self.buffer.get_mut(head_end..).unwrap_or_default(), &mut self.progress))
    }

    /// The response was read. Returns whether another request may be sent: not when the server closes, nor when the
    /// body was not read to its end.
    pub fn finish(&mut self) -> bool {
        let Phase::Body { head_end, keep_alive } = self.phase else { return self.phase == Phase::Idle };
        let complete = self.body().is_some_and(|body| body.is_complete());
        if !keep_alive || !complete || self.progress.refused.is_some() || self.progress.ended {
            self.phase = Phase::Cut;
            return false;
        }
        let (start, end) = (head_end + self.progress.start, head_end + self.progress.end);
        self.progress = Progress { start, end, ..Progress::new(&self.limits) };
        self.phase = Phase::Idle;
        true
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called, if no byte comes before; [`Instant::MAX`] for
    /// never. While a body is being read, the body has the time.
    pub fn poll_timeout(&self) -> Instant {
        match self.phase {
            Phase::Head { since, .. } => since + self.limits.head_time,
            _ => Instant::MAX,
        }
    }

    /// A time has come: a response that is late is given up.
    pub fn handle_timeout(&mut self, now: Instant) {
        if now >= self.poll_timeout() {
            self.fail(Refusal::Timeout);
        }
    }

    fn fail(&mut self, refusal: Refusal) -> Step<'_> {
        self.phase = Phase::Failed(refusal);
        Step::Refused(refusal)
    }

    fn response(&mut self, head: &Head) -> Step<'_> {
        let head_end = self.progress.start + head.length;
        self.progress.end -= head_end;
        self.progress.start = 0;
        self.progress.framing = match head.body {
            Body::Length(length) if length > self.limits.body => return self.fail(Refusal::BodyTooLarge),
            Body::Length(length) => Framing::Length(length),
            Body::Chunked => Framing::Chunked(Decoder::new(self.limits.extensions, self.limits.trailers)),
            Body::UntilClose => Framing::UntilClose,
        };
        self.phase = Phase::Body { head_end, keep_alive: head.keep_alive };
        let (before, rest) = self.buffer.split_at_mut(head_end);
        let bytes: &[u8] = before.get(head_end - head.length..).unwrap_or_default();
        let fields = Fields::new(bytes, self.fields.get(..head.fields).unwrap_or_default());
        let response = Response { status: head.status, fields, minor: head.minor };
        Step::Response(response, Incoming::new(rest, &mut self.progress))
    }
}
