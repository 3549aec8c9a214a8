//! One connection: its buffers, lent to the HTTP driver for as long as it lives.

use alloc::vec;

use mirage_http::{Config, Field, Limits, Memory, respond};
use mirage_platform::stack::TcpStream;

use crate::counters::add;
use crate::number::Number;
use crate::pages::Pages;

/// Bytes for what comes in: the longest head and what the driver wants beside it.
const INPUT: usize = Limits::DEFAULT.head + 64;
/// Bytes for what goes out: a head and a small body.
const OUTPUT: usize = 4 * 1_024;
/// Header fields of a request.
const FIELDS: usize = 64;

/// Bytes that a connection may hold: those above, what is used while it answers, and its task.
pub(crate) const MEMORY: usize = 24 * 1_024;

/// Nothing of a body is kept, so it may be long.
const LIMITS: Limits = Limits { body: 1 << 40, ..Limits::DEFAULT };

/// Serves `stream` until it ends.
pub(crate) async fn serve(stream: impl TcpStream, pages: &Pages) {
    let (mut bytes, mut fields) = (vec![0; INPUT + OUTPUT], vec![Field::default(); FIELDS]);
    let (input, output) = bytes.split_at_mut(INPUT);
    let memory = Memory { input, output, fields: &mut fields };
    let context = pages.context();
    let config = Config { limits: LIMITS, wall: Some(context) };
    add(&pages.counters().connections, 1);
    let outcome = respond(stream, memory, context.timer(), context.timer(), &config, pages).await;
    if let Err(error) = outcome.end {
        mirage_platform::log::debug!("connection after {} requests: {error}", Number(outcome.requests));
    }
}
