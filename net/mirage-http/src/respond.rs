//! One connection whose answers never have to be waited for: the machine decides, and one small loop sends and receives.

mod reply;
mod responder;
mod turns;

use core::future::poll_fn;
use core::task::Poll;

use mirage_clock::{Monotonic, Sleep};
use mirage_flow::{Read, Shutdown, Write};

use crate::serve::{Config, Error, Line, Memory, Outcome, Wire as _};

use turns::{Turns, Want};

pub use reply::Reply;
pub use responder::Responder;

/// Serves one connection until it ends, as [`serve`](crate::serve) does, with answers that are there when they are asked
/// for. There is one future of a few hundred bytes for all that happens, which makes an image several kilobytes
/// smaller than handlers that wait.
///
/// Heads of answers have at least half of [`Memory::output`]. Between the pieces of long bodies, of either direction, others go
/// first.
///
/// Not cancel-safe: dropping the future drops the connection in the middle of whatever it said.
pub async fn respond<F, C, S, R>(
    flow: F,
    memory: Memory<'_>,
    clock: &C,
    sleep: &S,
    config: &Config<'_>,
    responder: &R,
) -> Outcome
where
    F: Read + Write + Shutdown,
    C: Monotonic,
    S: Sleep,
    R: Responder,
{
    let limits = &config.limits;
    let mut line = Line::new(flow, clock, sleep, memory.output, config);
    let mut turns = Turns::<R>::new(line.now(), memory.input, memory.fields, limits);
    let mut end = Ok(());
    while end.is_ok() {
        let (bytes, flush) = match turns.turn(&mut line, responder) {
            Want::Flush => (&b""[..], true),
            Want::Piece => match turns.piece(responder) {
                Some(piece) => (piece, false),
                None => continue,
            },
            Want::Receive(until) => {
                match line.receive(turns.space(), until).await {
                    Ok(received) => turns.received(line.now(), received),
                    Err(error) => end = Err(error),
                }
                continue;
            }
            Want::Rest => {
                let mut rested = false;
                poll_fn(|context| {
                    if core::mem::replace(&mut rested, true) {
                        return Poll::Ready(());
                    }
                    context.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
                continue;
            }
            Want::End(how) => {
                end = how;
                break;
            }
        };
        end = line.put(bytes, flush).await;
    }
    let requests = turns.requests();
    // A flow that is broken has nobody on it to wait for.
    if !matches!(end, Err(Error::Flow(_) | Error::Slow)) {
        let (buffer, ended) = turns.into_buffer();
        line.linger(buffer, ended, limits).await;
    }
    line.shutdown().await;
    Outcome { requests, end }
}
