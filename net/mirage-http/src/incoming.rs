//! A body that comes in, of a request or of a response (RFC 9112 §6).

use mirage_clock::Instant;

use crate::chunked::Decoder;
use crate::patience::Patience;
use crate::{Limits, Refusal};

/// How the end of a body is known.
#[derive(Clone, Debug)]
pub(crate) enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Decoder),
    /// By the end of the stream: responses only.
    UntilClose,
}

/// How far a body was read.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// What was received and not read: a part of the buffer behind the head.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) framing: Framing,
    /// Bytes of the body that may still come before it is too large.
    pub(crate) allowed: u64,
    pub(crate) patience: Patience,
    pub(crate) ended: bool,
    pub(crate) expects: bool,
    pub(crate) refused: Option<Refusal>,
}

impl Progress {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            start: 0,
            end: 0,
            framing: Framing::Length(0),
            allowed: limits.body,
            patience: Patience::new(limits.stall_time, limits.rate),
            ended: false,
            expects: false,
            refused: None,
        }
    }
}

/// The machine that reads one body. It borrows what is left of the lent buffer behind the head.
#[derive(Debug)]
pub struct Incoming<'c> {
    rest: &'c mut [u8],
    progress: &'c mut Progress,
}

/// What there is to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyStep<'i> {
    /// Nothing until more bytes come.
    NeedInput,
    /// The next bytes of the body; never empty.
    Data(&'i [u8]),
    /// Nothing: the body is complete.
    End,
    /// Nothing: the body is malformed, too large or too slow. The connection cannot be used again.
    Refused(Refusal),
    /// Nothing: the stream ended before the body.
    Cut,
}

impl<'c> Incoming<'c> {
    pub(crate) fn new(rest: &'c mut [u8], progress: &'c mut Progress) -> Self {
        Self { rest, progress }
    }

    /// Whether the peer waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1). After the first byte of
    /// the body it does not.
    pub fn expects_continue(&self) -> bool {
        self.progress.expects
    }

    /// `100 Continue` was sent.
    pub fn continued(&mut self) {
        self.progress.expects = false;
    }

    /// Whether the body has been read to its end.
    #[inline]
    pub fn is_complete(&self) -> bool {
        match &self.progress.framing {
            Framing::Length(left) => *left == 0,
            Framing::Chunked(decoder) => decoder.is_done(),
            Framing::UntilClose => self.progress.ended && self.progress.start == self.progress.end,
        }
    }

    /// How many bytes are still to come, if that is known.
    pub fn length(&self) -> Option<u64> {
        match &self.progress.framing {
            Framing::Length(left) => Some(*left),
            _ => None,
        }
    }

    /// Whether an answer may come before the body was read: what is left of it can be read away, and the peer does not still wait
    /// for leave to send it, so that it may send it or not.
    pub(crate) fn may_stay_unread(&self, most: u64) -> bool {
        self.length().unwrap_or(0) <= most && !self.expects_continue()
    }

    /// How many of the next bytes of the stream are the body as it is, so that they can be received where they are
    /// needed and not here: say so with [`received_elsewhere`](Self::received_elsewhere). Zero when bytes wait here
    /// or the coding must be taken off.
    #[inline]
    pub fn direct(&self) -> u64 {
        match &self.progress.framing {
            _ if self.progress.start != self.progress.end || self.progress.refused.is_some() => 0,
            Framing::Length(left) => *left,
            Framing::UntilClose => self.progress.allowed,
            Framing::Chunked(_) => 0,
        }
    }

    /// `count` bytes, at most [`direct`](Self::direct), were received into a buffer of the caller's.
    pub fn received_elsewhere(&mut self, now: Instant, count: usize) {
        let progress = &mut *self.progress;
        progress.expects = false;
        progress.patience.reward(now, count);
        progress.allowed = progress.allowed.saturating_sub(count as u64);
        if let Framing::Length(left) = &mut progress.framing {
            *left = left.saturating_sub(count as u64);
        }
    }

    /// Where to receive bytes; say how many with [`received`](Self::received). Never empty after
    /// [`BodyStep::NeedInput`].
    pub fn space(&mut self) -> &mut [u8] {
        Incoming::new(self.rest, self.progress).into_space()
    }

    pub(crate) fn into_space(self) -> &'c mut [u8] {
        let progress = &mut *self.progress;
        if progress.start == progress.end {
            (progress.start, progress.end) = (0, 0);
        } else if progress.end == self.rest.len() {
            // A copy of what a pipelining peer sent early, so that there is space behind it.
            self.rest.copy_within(progress.start..progress.end, 0);
            (progress.start, progress.end) = (0, progress.end - progress.start);
        }
        self.rest.get_mut(progress.end..).unwrap_or_default()
    }

    /// `count` bytes were received into [`space`](Self::space).
    pub fn received(&mut self, now: Instant, count: usize) {
        let progress = &mut *self.progress;
        progress.end = (progress.end + count).min(self.rest.len());
        progress.expects = false;
        progress.patience.reward(now, count);
    }

    /// The peer will send no more.
    pub fn input_ended(&mut self) {
        self.progress.ended = true;
    }

    /// Copies as much of `input` as fits and returns how much that was: [`space`](Self::space) and
    /// [`received`](Self::received) for those who have the bytes elsewhere.
    pub fn input(&mut self, now: Instant, input: &[u8]) -> usize {
        let count = copy(input, self.space());
        self.received(now, count);
        count
    }

    /// The next bytes of the body, at most `most`.
    #[inline(never)]
    pub fn next(&mut self, most: usize) -> BodyStep<'_> {
        let progress = &mut *self.progress;
        if let Some(refusal) = progress.refused {
            return BodyStep::Refused(refusal);
        }
        let waiting = self.rest.get(progress.start..progress.end).unwrap_or_default();
        let (skip, data, done) = match &mut progress.framing {
            Framing::Length(left) => {
                let data = waiting.len().min(most).min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= data as u64;
                (0, data, *left == 0)
            }
            Framing::Chunked(decoder) => match decoder.advance(waiting, most) {
                Ok(decoded) => (decoded.skip, decoded.data, decoder.is_done()),
                Err(_) => {
                    progress.refused = Some(Refusal::Malformed);
                    return BodyStep::Refused(Refusal::Malformed);
                }
            },
            Framing::UntilClose => (0, waiting.len().min(most), progress.ended),
        };
        progress.start += skip + data;
        let Some(allowed) = progress.allowed.checked_sub(data as u64) else {
            progress.refused = Some(Refusal::BodyTooLarge);
            return BodyStep::Refused(Refusal::BodyTooLarge);
        };
        progress.allowed = allowed;
        if let Some(data) = waiting.get(skip..skip + data).filter(|data| !data.is_empty()) {
            BodyStep::Data(data)
        } else if done {
            BodyStep::End
        } else if progress.ended && waiting.len() == skip {
            BodyStep::Cut
        } else {
            BodyStep::NeedInput
        }
    }

    /// Waiting for the peer begins now and ends at the returned time.
    #[inline]
    pub fn poll_timeout(&mut self, now: Instant) -> Instant {
        self.progress.patience.wait(now)
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come: the body is refused.
    pub fn handle_timeout(&mut self, now: Instant) {
        if now >= self.progress.patience.wait(now) {
            self.progress.refused.get_or_insert(Refusal::Timeout);
        }
    }
}

/// Copies what fits.
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..count), to.get_mut(..count)) {
        to.copy_from_slice(from);
    }
    count
}
