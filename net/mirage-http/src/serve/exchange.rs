//! One request's body, and the way to answer it.

use crate::server::{ResponseHead, Sending, Terms};
use crate::{BodyStep, HeadError, Incoming, Length, Limits, Status, chunked};

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
    drain: u64,
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
    pub(super) fn new(io: &'e mut I, incoming: Incoming<'e>, terms: Terms, limits: &Limits) -> Self {
        Self { io, incoming, terms, drain: limits.drain }
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
            if self.incoming.expects_continue() && !self.io.has_begun() {
                self.incoming.continued();
                self.io.put(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            self.io.flush().await?;
            let until = self.incoming.poll_timeout(self.io.now());
            let direct = usize::try_from(self.incoming.direct()).unwrap_or(usize::MAX);
            let received = if direct > 0 && (into.len() >= direct || into.len() >= self.incoming.space().len()) {
                let most = direct.min(into.len());
                let received = self.io.receive(into.get_mut(..most).unwrap_or_default(), until).await?;
                if let Some(count @ 1..) = received {
                    self.incoming.received_elsewhere(self.io.now(), count);
                    return Ok(count);
                }
                received
            } else {
                self.io.receive(self.incoming.space(), until).await?
            };
            match received {
                Some(0) => self.incoming.input_ended(),
                Some(count) => self.incoming.received(self.io.now(), count),
                None => self.incoming.handle_timeout(self.io.now()),
            }
        }
    }

    /// Answers with a body that is there. Head and body go out in one write if they fit the output buffer.
    ///
    /// The body is not sent where there is none: in an answer to `HEAD`, and with 204 and 304.
    ///
    /// # Errors
    /// `Head`, `Flow`, `Slow`.
    pub async fn send(self, status: Status, fields: &[(&str, &[u8])], body: &[u8]) -> Result<Sent, Error> {
        let mut streaming = self.start(status, fields, Length::Known(body.len() as u64)).await?;
        streaming.write(body).await?;
        streaming.finish().await
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
        // A body that will not be read makes what follows it unreadable: say so while it can be said. A peer that still
        // waits for leave to send its body may send it or not.
        let unread = self.incoming.length().unwrap_or(0);
        self.terms.keep_alive &= unread <= self.drain && !self.incoming.expects_continue();
        let date = self.io.date();
        let head = ResponseHead::new(status, length, fields).date(date.as_ref());
        let sending = put_head(self.io, &head, self.terms).await?;
        self.io.begun();
        Ok(Streaming { exchange: self, sending })
    }
}

impl<I: Io> Streaming<'_, I> {
    /// Sends the next bytes of the body. Large ones go to the flow from where they are, without a copy but for what
    /// fits behind the head.
    ///
    /// # Errors
    /// `Length` when there are more than the head says, and then nothing is sent; `Flow`, `Slow`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        let io = &mut *self.exchange.io;
        match &mut self.sending {
            Sending::Nothing => Ok(()),
            Sending::Length(left) => {
                *left = left.checked_sub(bytes.len() as u64).ok_or(Error::Length)?;
                io.put(bytes).await
            }
            Sending::Chunked => {
                let mut line = [0; 18];
                io.put(chunked::size_line(bytes.len() as u64, &mut line)).await?;
                io.put(bytes).await?;
                io.put(b"\r\n").await
            }
            Sending::UntilClose => io.put(bytes).await,
        }
    }

    /// Sends what waits in the output buffer now: for answers that come bit by bit.
    ///
    /// # Errors
    /// `Flow`, `Slow`.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.exchange.io.flush().await
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
            Sending::Chunked => io.put(chunked::END).await?,
            _ => {}
        }
        io.complete(self.exchange.terms.keep_alive && self.sending != Sending::UntilClose);
        Ok(Sent { _only_here: () })
    }
}

/// Writes a head to the output buffer, after making room if need be.
pub(super) async fn put_head(io: &mut impl Io, head: &ResponseHead<'_>, terms: Terms) -> Result<Sending, Error> {
    let written = match head.write(terms, io.room()) {
        Err(HeadError::BufferTooSmall) => {
            io.flush().await?;
            head.write(terms, io.room())
        }
        other => other,
    };
    let (length, sending) = written?;
    io.fill(length);
    Ok(sending)
}
