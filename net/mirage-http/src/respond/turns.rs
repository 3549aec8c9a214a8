//! What to do next on a connection, without doing it.

use mirage_clock::Instant;

use crate::serve::{Error, Wire};
use crate::server::{Connection, Sending, Step, Terms};
use crate::{BodyStep, Field, Limits};

use super::reply::{Reply, Started};
use super::responder::Responder;

/// A connection and the request that is being answered.
pub(super) struct Turns<'m, R: Responder> {
    connection: Connection<'m>,
    work: R::Work,
    phase: Phase,
    terms: Terms,
    /// Bytes of the answer's body that are still to be sent.
    left: u64,
    requests: u64,
    /// Something long is on its way, and others go first.
    rest: bool,
}

#[derive(Clone, Copy)]
enum Phase {
    /// A request is to come.
    Next,
    /// Nothing of it has, and what waited was sent.
    Wait,
    /// The responder takes the request's body.
    Take,
    /// The answer has begun.
    Send,
    /// It is complete: so many bytes of the request's body are read away at most.
    Drain(u64),
    Failed(Error),
}

/// What to do.
pub(super) enum Want {
    /// Send what waits in the output buffer.
    Flush,
    /// Send [`Turns::piece`].
    Piece,
    /// Receive into [`Turns::space`] until then.
    Receive(Instant),
    /// Let others go first.
    Rest,
    /// That was all.
    End(Result<(), Error>),
}

impl<'m, R: Responder> Turns<'m, R> {
    pub(super) fn new(now: Instant, input: &'m mut [u8], fields: &'m mut [Field], limits: &Limits) -> Self {
        Self {
            connection: Connection::new(now, input, fields, *limits),
            work: R::Work::default(),
            phase: Phase::Next,
            terms: Terms { head_only: false, keep_alive: false, old: false },
            left: 0,
            requests: 0,
            rest: false,
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// The lent buffer, and whether the peer has ended its side.
    pub(super) fn into_buffer(self) -> (&'m mut [u8], bool) {
        let ended = self.connection.has_input_ended();
        (self.connection.into_buffer(), ended)
    }

    pub(super) fn space(&mut self) -> &mut [u8] {
        self.connection.space()
    }

    /// So many bytes were received there; `None` when it is too late for any.
    #[inline(never)]
    pub(super) fn received(&mut self, now: Instant, received: Option<usize>) {
        match received {
            Some(0) => self.connection.input_ended(),
            Some(count) => {
                self.connection.received(now, count);
                self.rest = matches!(self.phase, Phase::Take);
            }
            None => match self.connection.body() {
                Some(mut body) => body.handle_timeout(now),
                None => self.connection.handle_timeout(now),
            },
        }
    }

    /// The next bytes of the answer's body. `None` when they are not there: that is then the end.
    pub(super) fn piece<'t>(&'t mut self, responder: &'t R) -> Option<&'t [u8]> {
        let piece = responder.piece(&mut self.work, self.left);
        match self.left.checked_sub(piece.len() as u64).filter(|_| !piece.is_empty()) {
            Some(left) => self.left = left,
            None => self.phase = Phase::Failed(Error::Length),
        }
        self.rest = self.left > 0;
        (!matches!(self.phase, Phase::Failed(_))).then_some(piece)
    }

    /// What to do now.
    #[inline(never)]
    pub(super) fn turn(&mut self, line: &mut impl Wire, responder: &R) -> Want {
        if core::mem::take(&mut self.rest) {
            return Want::Rest;
        }
        loop {
            match self.phase {
                Phase::Next => {
                    if !line.has_room() {
                        return Want::Flush;
                    }
                    let now = line.now();
                    let (started, terms) = match self.connection.next(now) {
                        Step::NeedInput => {
                            self.phase = Phase::Wait;
                            continue;
                        }
                        Step::Request(request, incoming) => {
                            self.requests += 1;
                            self.terms = request.terms();
                            let keep_alive = self.terms.keep_alive && incoming.may_stay_unread(line.drain());
                            let date = line.date();
                            let mut reply = Reply::new(line.room(), date, Terms { keep_alive, ..self.terms });
                            self.work = responder.begin(&request, &mut reply);
                            reply.end()
                        }
                        Step::Refused(refusal) => {
                            self.fail(line, Error::Refused(refusal), false);
                            continue;
                        }
                        Step::Answering | Step::Closed if line.is_empty() => return Want::End(Ok(())),
                        Step::Answering | Step::Closed => return Want::Flush,
                    };
                    match started {
                        Some(started) => self.start(line, started, terms),
                        None => self.phase = Phase::Take,
                    }
                }
                Phase::Wait => {
                    if !line.is_empty() {
                        return Want::Flush;
                    }
                    self.phase = Phase::Next;
                    return Want::Receive(self.connection.poll_timeout());
                }
                Phase::Send if self.left > 0 => return Want::Piece,
                Phase::Send if self.terms.keep_alive => self.phase = Phase::Drain(line.drain()),
                Phase::Send => self.finish(line.now(), true),
                Phase::Take | Phase::Drain(_) => {
                    if let Some(want) = self.read(line, responder) {
                        return want;
                    }
                }
                Phase::Failed(error) => return if line.is_empty() { Want::End(Err(error)) } else { Want::Flush },
            }
        }
    }

    /// Reads the request's body on; what to do before there is more of it.
    fn read(&mut self, line: &mut impl Wire, responder: &R) -> Option<Want> {
        let takes = matches!(self.phase, Phase::Take);
        let failed = match self.connection.body() {
            Some(mut body) => match body.next(usize::MAX) {
                BodyStep::Data(data) => {
                    match &mut self.phase {
                        Phase::Drain(most) => match most.checked_sub(data.len() as u64) {
                            Some(left) => *most = left,
                            None => self.finish(line.now(), true),
                        },
                        _ => responder.take(&mut self.work, data),
                    }
                    return None;
                }
                BodyStep::NeedInput => {
                    if takes && body.expects_continue() {
                        body.continued();
                        line.gather(b"HTTP/1.1 100 Continue\r\n\r\n");
                    }
                    let empty = line.is_empty();
                    return Some(if empty { Want::Receive(body.poll_timeout(line.now())) } else { Want::Flush });
                }
                BodyStep::End if takes => {
                    let date = line.date();
                    let mut reply = Reply::new(line.room(), date, self.terms);
                    responder.end(&mut self.work, &mut reply);
                    match reply.end() {
                        (Some(started), terms) => self.start(line, started, terms),
                        (None, terms) => self.fail(line, Error::Failed, terms.head_only),
                    }
                    return None;
                }
                BodyStep::End => None,
                BodyStep::Refused(refusal) => Some(Error::Refused(refusal)),
                BodyStep::Cut => Some(Error::Ended),
            },
            None => Some(Error::Ended),
        };
        match failed {
            Some(error) if takes => self.fail(line, error, self.terms.head_only),
            failed => self.finish(line.now(), failed.is_some()),
        }
        None
    }

    /// The head of an answer was written, or not.
    fn start(&mut self, line: &mut impl Wire, started: Started, terms: Terms) {
        match started {
            Ok((length, sending)) => {
                line.fill(length);
                self.left = if let Sending::Length(left) = sending { left } else { 0 };
                (self.phase, self.terms) = (Phase::Send, terms);
            }
            Err(error) => self.fail(line, Error::Head(error), terms.head_only),
        }
    }

    /// Says what went wrong, where there is somebody to tell, and that the connection closes.
    fn fail(&mut self, line: &mut impl Wire, error: Error, head_only: bool) {
        if let Some(status) = error.status() {
            let reason = status.reason();
            let date = line.date();
            let mut reply = Reply::new(line.room(), date, Terms { head_only, keep_alive: false, old: false });
            reply.start(status, &[("Content-Type", b"text/plain")], reason.len() as u64);
            if let (Some(Ok((length, sending))), _) = reply.end() {
                line.fill(length);
                if sending != Sending::Nothing {
                    line.gather(reason.as_bytes());
                }
            }
        }
        self.phase = Phase::Failed(error);
    }

    /// The request is answered.
    fn finish(&mut self, now: Instant, close: bool) {
        if close {
            self.connection.close();
        }
        self.connection.finish(now);
        self.work = R::Work::default();
        self.phase = Phase::Next;
    }
}
