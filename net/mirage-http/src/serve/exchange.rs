//! One request's body, and the way to answer it.

use crate::server::{ResponseHead, Sending, Terms};
use crate::{BodyStep, HeadError, Incoming, Length, Status, chunked};

use super::{Error, Io};

/// One request's body, and the way to answer it: once.
///
/// The body may be read before the answer ([`read`](Self::read)) or while it goes out ([`Streaming::read`]). What is
/// left unread is read away afterwards, or the connection closes.
#[derive(Debug)]
pub struct Exchange<'e, I: Io> {
    io: &'e mut I,
    incoming: Incoming<'e>,
    terms: Terms,
}

/// An answer whose head was sent and whose body goes out.
#[derive(Debug)]
pub struct Streaming<'e, I: Io> {
    exchange: Exchange<'e, I>,
    sending: Sending,
}

/// Proof that a request was answered.
#[derive(Debug)]
pub struct Sent {
    _only_here: (),
}

impl<'e, I: Io> Exchange<'e, I> {
    pub(super) fn new(io: &'e mut I, incoming: Incoming<'e>, terms: Terms) -> Self {
        Self { io, incoming, terms }
    }

    /// How many bytes of the request's body are still to be read; `None` when it comes in chunks.
    pub fn length(&self) -> Option<u64> {
        self.incoming.length()
    }

    /// Reads the next bytes of the request's body into `into`; 0 at its end, or when `into` is empty. A peer that waits
    /// for `100 Continue` gets it.
    ///
    /// Cancel-safe: a dropped read has read nothing, if that is so of the flow.
    ///
    /// # Errors
    /// `Refused`, `Ended`, `Flow`, `Slow`.
    pub async fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match self.incoming.next(into.len()) {
                // The one copy: from where it was received to where the handler wants it.
                BodyStep::Data(data) => return Ok(crate::incoming::copy(data, into)),
                BodyStep::End => return Ok(0),
                BodyStep::Refused(refusal) => return Err(Error::Refused(refusal)),
                BodyStep::Cut => return Err(Error::Ended),
                BodyStep::NeedInput => {}
            }
            let leave: &[u8] = if self.incoming.expects_continue() && !self.io.has_begun() {
                self.incoming.continued();
                b"HTTP/1.1 100 Continue\r\n\r\n"
            } else {
                b""
            };
            self.io.put(leave, true).await?;
            if let count @ 1.. = more(self.io, &mut self.incoming, into).await? {
                return Ok(count);
            }
        }
    }

    /// Answers with a body that is there. Head and body go out in one write if they fit the output buffer.
    ///
    /// The body is not sent where there is none: in an answer to `HEAD`, and with 204 and 304.
    ///
    /// # Errors
    /// `Head`, `Flow`, `Slow`.
    pub async fn send(mut self, status: Status, fields: &[(&str, &[u8])], body: &[u8]) -> Result<Sent, Error> {
        self.decide();
        put_answer(self.io, status, fields, Length::Known(body.len() as u64), self.terms, body).await?;
        self.io.complete(self.terms.keep_alive);
        Ok(Sent { _only_here: () })
    }

    /// Answers with a body that is still to come.
    ///
    /// `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` are written here and are not among the `fields`.
    ///
    /// # Errors
    /// `Head`, `Flow`, `Slow`. After `Head` nothing was sent.
    pub async fn start(
        mut self,
        status: Status,
        fields: &[(&str, &[u8])],
        length: Length,
    ) -> Result<Streaming<'e, I>, Error> {
        self.decide();
        let sending = put_answer(self.io, status, fields, length, self.terms, b"").await?;
        Ok(Streaming { exchange: self, sending })
    }

    /// Writes the head of an answer, as [`start`](Self::start); `None` when what waits in the output buffer has to be sent first,
    /// by [`make_room`](Self::make_room).
    pub(crate) fn begin(
        &mut self,
        status: Status,
        fields: &[(&str, &[u8])],
        length: Length,
    ) -> Result<Option<Sending>, Error> {
        self.decide();
        write_head(self.io, status, fields, length, self.terms)
    }

    /// Sends what waits in the output buffer.
    pub(crate) async fn make_room(&mut self) -> Result<(), Error> {
        self.io.put(b"", true).await
    }

    /// The answer that [`begin`](Self::begin) began.
    pub(crate) fn begun(self, sending: Sending) -> Streaming<'e, I> {
        Streaming { exchange: self, sending }
    }

    /// Whether the connection goes on: a body that will not be read makes what follows it unreadable, and that is said
    /// while it can be said.
    fn decide(&mut self) {
        self.terms.keep_alive &= self.incoming.may_stay_unread(self.io.drain());
    }
}

impl<I: Io> Streaming<'_, I> {
    /// Sends the next bytes of the body. Large ones go to the flow from where they are, without a copy but for what
    /// fits behind the head.
    ///
    /// # Errors
    /// `Length` when there are more than the head says, and then nothing is sent; `Flow`, `Slow`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut line = [0; 18];
        let mut parts = [b"", bytes, b"\r\n"];
        let mut framed = &parts[1..2];
        match &mut self.sending {
            _ if bytes.is_empty() => return Ok(()),
            Sending::Nothing => return Ok(()),
            Sending::Length(left) => *left = left.checked_sub(bytes.len() as u64).ok_or(Error::Length)?,
            Sending::Chunked => {
                parts[0] = chunked::size_line(bytes.len() as u64, &mut line);
                framed = &parts;
            }
            Sending::UntilClose => {}
        }
        for part in framed {
            self.exchange.io.put(part, false).await?;
        }
        Ok(())
    }

    /// Sends what waits in the output buffer now: for answers that come bit by bit.
    ///
    /// # Errors
    /// `Flow`, `Slow`.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.exchange.io.put(b"", true).await
    }

    /// Reads the request's body on, as [`Exchange::read`].
    ///
    /// # Errors
    /// As there.
    pub async fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        self.exchange.read(into).await
    }

    /// Whether what is written goes out at all: not in an answer to `HEAD`, nor with 204 and 304.
    pub fn has_body(&self) -> bool {
        self.sending != Sending::Nothing
    }

    /// Ends the body.
    ///
    /// # Errors
    /// `Length` when fewer bytes were written than the head says; `Flow`, `Slow`.
    pub async fn finish(self) -> Result<Sent, Error> {
        let io = self.exchange.io;
        match self.sending {
            Sending::Length(1..) => return Err(Error::Length),
            Sending::Chunked => io.put(chunked::END, false).await?,
            _ => {}
        }
        io.complete(self.exchange.terms.keep_alive && self.sending != Sending::UntilClose);
        Ok(Sent { _only_here: () })
    }
}

/// Sends a head, and behind it as much of the body as is there.
pub(super) async fn put_answer(
    io: &mut impl Io,
    status: Status,
    fields: &[(&str, &[u8])],
    length: Length,
    terms: Terms,
    body: &[u8],
) -> Result<Sending, Error> {
    let sending = loop {
        match write_head(io, status, fields, length, terms)? {
            Some(sending) => break sending,
            None => io.put(b"", true).await?,
        }
    };
    if sending != Sending::Nothing {
        io.put(body, false).await?;
    }
    Ok(sending)
}

/// Writes a head to the output buffer; `None` when that has to be sent first, to make room.
#[inline(never)]
fn write_head(
    io: &mut impl Io,
    status: Status,
    fields: &[(&str, &[u8])],
    length: Length,
    terms: Terms,
) -> Result<Option<Sending>, Error> {
    let date = io.date();
    match ResponseHead::new(status, length, fields).date(date.as_ref()).write(terms, io.room()) {
        Ok((length, sending)) => {
            io.fill(length);
            io.begun();
            Ok(Some(sending))
        }
        Err(HeadError::BufferTooSmall) if !io.is_empty() => Ok(None),
        Err(error) => Err(Error::Head(error)),
    }
}

/// Receives more of a body: into `into` if it may come there as it is, and then so many bytes did; else behind the head.
pub(super) async fn more(io: &mut impl Io, incoming: &mut Incoming<'_>, into: &mut [u8]) -> Result<usize, Error> {
    let until = incoming.poll_timeout(io.now());
    let direct = usize::try_from(incoming.direct()).unwrap_or(usize::MAX);
    let elsewhere = !into.is_empty() && direct > 0 && (into.len() >= direct || into.len() >= incoming.space().len());
    let most = direct.min(into.len());
    let place = if elsewhere { into.get_mut(..most).unwrap_or_default() } else { incoming.space() };
    match io.receive(place, until).await? {
        Some(0) => incoming.input_ended(),
        Some(count) if elsewhere => {
            incoming.received_elsewhere(io.now(), count);
            return Ok(count);
        }
        Some(count) => incoming.received(io.now(), count),
        None => incoming.handle_timeout(io.now()),
    }
    Ok(0)
}
