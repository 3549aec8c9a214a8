//! One connection: requests come one after the other (RFC 9112 §9.3).

use mirage_clock::Instant;

use crate::chunked::Decoder;
use crate::field::Span;
use crate::incoming::{Framing, Progress, copy};
use crate::{Field, Fields, Incoming, Limits, Method, Refusal, Target};

use super::head::{self, Head};
use super::{Request, Terms};

/// How much of the buffer is never used for a head, so that there is always space for a body.
const RESERVE: usize = 64;

/// The machine. It stores bytes in the lent buffer, and tells what they are.
#[derive(Debug)]
pub struct Connection<'b> {
    buffer: &'b mut [u8],
    fields: &'b mut [Field],
    limits: Limits,
    phase: Phase,
    /// In `Phase::Head`, `start..end` is received and not read, from the buffer's start; in `Phase::Exchange`, from the
    /// end of the head.
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A head is coming: since when (its first byte, or, when there is none, the last request), and how much of it
    /// was looked at.
    Head {
        since: Instant,
        seen: usize,
    },
    /// A request is being answered; its head ends there.
    Exchange {
        head_end: usize,
        keep_alive: bool,
    },
    Refused(Refusal),
    Closed,
}

/// What to do.
#[derive(Debug)]
pub enum Step<'c> {
    /// Receive more bytes. Send what waits to be sent before.
    NeedInput,
    /// Answer this request, then say [`Connection::finish`].
    Request(Request<'c>, Incoming<'c>),
    /// A request is being answered; [`Connection::body`] has its body.
    Answering,
    /// Answer with that status and close.
    Refused(Refusal),
    /// Close: nothing more will come.
    Closed,
}

impl<'b> Connection<'b> {
    /// A new connection.
    ///
    /// `buffer` holds a head and what was received after it: heads are limited to its length less 64 bytes. `fields`
    /// bounds the number of header fields, with 100 at most.
    pub fn new(now: Instant, buffer: &'b mut [u8], fields: &'b mut [Field], limits: Limits) -> Self {
        let head = limits.head.min(buffer.len().saturating_sub(RESERVE)).min(usize::from(u16::MAX));
        let limits = Limits { head, ..limits };
        let phase = Phase::Head { since: now, seen: 0 };
        Self { buffer, fields, progress: Progress::new(&limits), limits, phase }
    }

    /// Where to receive bytes when [`Step::NeedInput`] says so; say how many with [`received`](Self::received).
    pub fn space(&mut self) -> &mut [u8] {
        let progress = &mut self.progress;
        match self.phase {
            Phase::Head { .. } => {}
            Phase::Exchange { .. } => return self.body_space(),
            _ => return &mut [],
        }
        if progress.start == progress.end {
            (progress.start, progress.end) = (0, 0);
        } else if progress.end == self.buffer.len() {
            // A copy of the start of a pipelined head, so that there is space for the rest.
            self.buffer.copy_within(progress.start..progress.end, 0);
            (progress.start, progress.end) = (0, progress.end - progress.start);
        }
        self.buffer.get_mut(progress.end..).unwrap_or_default()
    }

    /// `count` bytes were received into [`space`](Self::space).
    pub fn received(&mut self, now: Instant, count: usize) {
        match &mut self.phase {
            Phase::Head { since, .. } => {
                if self.progress.start == self.progress.end && count > 0 {
                    *since = now;
                }
                self.progress.end = (self.progress.end + count).min(self.buffer.len());
            }
            Phase::Exchange { .. } => {
                if let Some(mut body) = self.body() {
                    body.received(now, count);
                }
            }
            _ => {}
        }
    }

    /// Copies as much of `input` as fits and returns how much that was: [`space`](Self::space) and
    /// [`received`](Self::received) for those who have the bytes elsewhere.
    pub fn input(&mut self, now: Instant, input: &[u8]) -> usize {
        let count = copy(input, self.space());
        self.received(now, count);
        count
    }

    /// The peer will send no more. What it sent is still answered.
    pub fn input_ended(&mut self) {
        self.progress.ended = true;
    }

    /// What to do now.
    pub fn next(&mut self, now: Instant) -> Step<'_> {
        let (since, seen) = match self.phase {
            Phase::Head { since, seen } => (since, seen),
            Phase::Exchange { .. } => return Step::Answering,
            Phase::Refused(refusal) => return Step::Refused(refusal),
            Phase::Closed => return Step::Closed,
        };
        self.skip_empty_lines();
        let waiting = self.buffer.get(self.progress.start..self.progress.end).unwrap_or_default();
        let waiting = waiting.get(..self.limits.head).unwrap_or(waiting);
        let full = waiting.len() == self.limits.head;
        // A head is only looked at when a line of it has come, and only up to there: a peer that sends single bytes does
        // not make us read the same head again for each, and what we say of it does not depend on how it was cut.
        let seen = seen.min(waiting.len());
        let fresh = waiting.get(seen..).unwrap_or_default();
        let lines = if full { Some(waiting) } else { whole_lines(fresh).and_then(|end| waiting.get(..seen + end)) };
        let parsed = match lines {
            Some(lines) => head::parse(lines, self.fields, &self.limits),
            None => Ok(None),
        };
        match parsed {
            Ok(Some(head)) => {
                self.begin(&head);
                self.request(&head)
            }
            Ok(None) if full => {
                let line = waiting.contains(&b'\n');
                self.refuse(if line { Refusal::HeadTooLarge } else { Refusal::TargetTooLong })
            }
            Ok(None) if self.progress.ended => {
                self.phase = Phase::Closed;
                Step::Closed
            }
            Ok(None) => {
                self.phase = Phase::Head { since, seen: waiting.len() };
                if now >= self.poll_timeout() { self.late() } else { Step::NeedInput }
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// The body of the request that is being answered, to read more of it.
    pub fn body(&mut self) -> Option<Incoming<'_>> {
        let Phase::Exchange { head_end, .. } = self.phase else { return None };
        Some(Incoming::new(self.buffer.get_mut(head_end..).unwrap_or_default(), &mut self.progress))
    }

    /// The response was sent. The next request may already be there.
    ///
    /// The connection closes when the peer or the response said so, or when the request's body was not read to its
    /// end: what follows is not the start of a request.
    pub fn finish(&mut self, now: Instant) {
        let Phase::Exchange { head_end, keep_alive } = self.phase else { return };
        let complete = self.body().is_some_and(|body| body.is_complete());
        if !keep_alive || !complete || self.progress.refused.is_some() {
            self.phase = Phase::Closed;
            return;
        }
        let (start, end) = (head_end + self.progress.start, head_end + self.progress.end);
        let ended = self.progress.ended;
        self.progress = Progress { start, end, ended, ..Progress::new(&self.limits) };
        self.phase = Phase::Head { since: now, seen: 0 };
    }

    /// There will be no further request: the response said `Connection: close`, or failed.
    pub fn close(&mut self) {
        match &mut self.phase {
            Phase::Exchange { keep_alive, .. } => *keep_alive = false,
            phase => *phase = Phase::Closed,
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called, if no byte comes before; [`Instant::MAX`] for
    /// never. While a request is being answered, its body has the time.
    pub fn poll_timeout(&self) -> Instant {
        match self.phase {
            Phase::Head { since, .. } if self.progress.start == self.progress.end => since + self.limits.idle_time,
            Phase::Head { since, .. } => since + self.limits.head_time,
            _ => Instant::MAX,
        }
    }

    /// A time has come: a head that is late is refused, and an idle connection closes.
    pub fn handle_timeout(&mut self, now: Instant) {
        if now >= self.poll_timeout() {
            self.late();
        }
    }

    /// Whether the peer has ended its side of the stream.
    pub fn has_input_ended(&self) -> bool {
        self.progress.ended
    }

    /// The lent buffer, for whoever reads on when this machine has ended.
    pub fn into_buffer(self) -> &'b mut [u8] {
        self.buffer
    }

    fn late(&mut self) -> Step<'_> {
        if self.progress.start == self.progress.end {
            self.phase = Phase::Closed;
            Step::Closed
        } else {
            self.refuse(Refusal::Timeout)
        }
    }

    fn refuse(&mut self, refusal: Refusal) -> Step<'_> {
        self.phase = Phase::Refused(refusal);
        Step::Refused(refusal)
    }

    fn body_space(&mut self) -> &mut [u8] {
        let Phase::Exchange { head_end, .. } = self.phase else { return &mut [] };
        Incoming::new(self.buffer.get_mut(head_end..).unwrap_or_default(), &mut self.progress).into_space()
    }

    /// RFC 9112 §2.2: a server "SHOULD ignore at least one empty line (CRLF) received prior to the request-line".
    fn skip_empty_lines(&mut self) {
        let progress = &mut self.progress;
        while self.buffer.get(progress.start..progress.end).is_some_and(|bytes| bytes.starts_with(b"\r\n")) {
            progress.start += 2;
        }
    }

    fn begin(&mut self, head: &Head) {
        let head_end = self.progress.start + head.length;
        let framing = match head.body {
            Some(length) => Framing::Length(length),
            None => Framing::Chunked(Decoder::new(self.limits.extensions, self.limits.trailers)),
        };
        self.progress.end -= head_end;
        self.progress.start = 0;
        self.progress.framing = framing;
        // Bytes of the body that are there say that the peer does not wait for leave to send them.
        self.progress.expects = head.expects && self.progress.end == 0;
        self.phase = Phase::Exchange { head_end, keep_alive: head.keep_alive };
    }

    fn request(&mut self, head: &Head) -> Step<'_> {
        let Phase::Exchange { head_end, .. } = self.phase else { return Step::Closed };
        let (before, rest) = self.buffer.split_at_mut(head_end);
        let bytes: &[u8] = before.get(head_end - head.length..).unwrap_or_default();
        // The parser let through ASCII only.
        let text = |span: Span| core::str::from_utf8(span.of(bytes)).unwrap_or_default();
        let target_text = text(head.target);
        let request = Request {
            method: head.method,
            method_name: text(head.method_name),
            target: Target::new(head.method, target_text).unwrap_or(Target::Asterisk),
            target_text,
            host: text(head.host),
            fields: Fields::new(bytes, self.fields.get(..head.fields).unwrap_or_default()),
            minor: head.minor,
            terms: Terms { head_only: head.method == Method::Head, keep_alive: head.keep_alive, old: head.minor == 0 },
        };
        Step::Request(request, Incoming::new(rest, &mut self.progress))
    }
}

/// How long the part of `bytes` is that consists of whole lines; `None` without any.
fn whole_lines(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|byte| *byte == b'\n').map(|last| last + 1)
}
