//! One connection from its first byte to its last: the machine, a flow, a clock and a handler.

mod error;
mod exchange;
mod handler;
mod linger;
mod wire;

use mirage_clock::{Instant, Monotonic, Sleep, Wall};
use mirage_flow::{Read, Shutdown, Write};

use crate::server::{Connection, Step, Terms};
use crate::{Field, Length, Limits, Refusal, Status};

pub(crate) use wire::{Line, Wire};

pub use error::Error;
pub use exchange::{Exchange, Sent, Streaming};
pub use handler::Handler;
pub use wire::Io;

/// What a connection needs of memory. Whoever serves many connections lends it to each in turn.
#[derive(Debug)]
pub struct Memory<'m> {
    /// For what comes in: a head, and 64 bytes more.
    pub input: &'m mut [u8],
    /// For what goes out: heads and small bodies are gathered here, so that a small response is one write, and so are
    /// the responses to pipelined requests. At least the longest head that is sent.
    pub output: &'m mut [u8],
    /// For the places of header fields: one for each that a request may have.
    pub fields: &'m mut [Field],
}

/// What connections have in common.
#[derive(Clone, Copy, Default)]
pub struct Config<'c> {
    /// What a peer may cost.
    pub limits: Limits,
    /// The time of day, for the field `Date`; without a clock it is left out (RFC 9110 §6.6.1).
    pub wall: Option<&'c dyn Wall>,
}

/// How a connection went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Requests that reached the handler.
    pub requests: u64,
    /// Why it ended; `Ok` when both sides had nothing more to say.
    pub end: Result<(), Error>,
}

/// Serves one connection until it ends: reads requests, calls `handler` for each, one at a time and in their order,
/// and sends what it answers. At the end both directions of the flow are shut down; dropping `flow` is the caller's.
///
/// A refused request, or a handler that fails before it answers, gets a response from here. `Write::write` is all that
/// is asked of the flow: `flush` is not called, because flows are to send what was written.
///
/// Not cancel-safe: dropping the future drops the connection in the middle of whatever it said.
pub async fn serve<F, C, S, H>(
    flow: F,
    memory: Memory<'_>,
    clock: &C,
    sleep: &S,
    config: &Config<'_>,
    handler: &H,
) -> Outcome
where
    F: Read + Write + Shutdown,
    C: Monotonic,
    S: Sleep,
    H: Handler,
{
    let limits = &config.limits;
    let mut line = Line::new(flow, clock, sleep, memory.output, config);
    let mut now = line.now();
    let mut connection = Connection::new(now, memory.input, memory.fields, *limits);
    let mut requests = 0;
    let end = loop {
        match step(&mut line, &mut connection, handler, limits, &mut now, &mut requests).await {
            Ok(true) => {}
            Ok(false) => break line.put(b"", true).await,
            Err(error) => break Err(error),
        }
    };
    // A flow that is broken has nobody on it to wait for.
    if !matches!(end, Err(Error::Flow(_) | Error::Slow)) {
        let ended = connection.has_input_ended();
        line.linger(connection.into_buffer(), ended, limits).await;
    }
    line.shutdown().await;
    Outcome { requests, end }
}

/// One step of the machine at the time `now`, which it moves on. Returns whether there will be another.
async fn step(
    line: &mut impl Io,
    connection: &mut Connection<'_>,
    handler: &impl Handler,
    limits: &Limits,
    now: &mut Instant,
    requests: &mut u64,
) -> Result<bool, Error> {
    let failed = match connection.next(*now) {
        Step::NeedInput => {
            line.put(b"", true).await?;
            let until = connection.poll_timeout();
            let received = line.receive(connection.space(), until).await?;
            *now = line.now();
            match received {
                Some(0) => connection.input_ended(),
                Some(count) => connection.received(*now, count),
                None => connection.handle_timeout(*now),
            }
            return Ok(true);
        }
        Step::Request(request, incoming) => {
            *requests += 1;
            line.begin();
            let exchange = Exchange::new(line, incoming, request.terms());
            match handler.handle(&request, exchange).await {
                Ok(Sent { .. }) => None,
                Err(error) => Some((error, request.terms().head_only)),
            }
        }
        Step::Answering => None,
        Step::Refused(refusal) => {
            line.begin();
            Some((Error::Refused(refusal), false))
        }
        Step::Closed => return Ok(false),
    };
    if let Some((error, head_only)) = failed {
        if let Some(status) = error.status()
            && !line.has_begun()
        {
            apologise(line, status, head_only).await?;
        }
        line.put(b"", true).await?;
        return Err(error);
    }
    if !line.keeps_alive() || !linger::drain(line, connection, limits.drain).await? {
        connection.close();
    }
    *now = line.now();
    connection.finish(*now);
    Ok(true)
}

/// Sends a short response that says what went wrong, and that the connection closes.
async fn apologise(line: &mut impl Io, status: Status, head_only: bool) -> Result<(), Error> {
    let reason = status.reason().as_bytes();
    let length = Length::Known(reason.len() as u64);
    let terms = Terms { head_only, keep_alive: false, old: false };
    exchange::put_answer(line, status, &[("Content-Type", b"text/plain")], length, terms, reason).await?;
    Ok(())
}

impl core::fmt::Debug for Config<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Config").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
