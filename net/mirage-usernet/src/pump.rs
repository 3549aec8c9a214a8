//! Copying between two connections, each direction on its own.

use alloc::vec;

use embedded_io_async::{Read, Write};
use futures_util::future::try_join;
use mirage_flow::{Direction, Shutdown};
use mirage_stack::TcpStream;

/// How many bytes lie between the two connections in each direction.
const BUFFER: usize = 64 * 1024;

/// One of the two connections broke.
struct Broken;

/// Copies both ways until both directions have ended; when one connection breaks, the other is broken off too.
pub(crate) async fn pump(mut one: impl TcpStream, mut other: impl TcpStream) {
    let outcome = {
        let (mut from_one, mut to_one) = one.split();
        let (mut from_other, mut to_other) = other.split();
        try_join(copy(&mut from_one, &mut to_other), copy(&mut from_other, &mut to_one)).await
    };
    if let Err(Broken) = outcome {
        one.abort();
        other.abort();
    }
}

/// Copies to the end of the stream and hands the end on.
async fn copy(from: &mut impl Read, to: &mut (impl Write + Shutdown)) -> Result<(), Broken> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let len = from.read(&mut buffer).await.map_err(|_| Broken)?;
        match buffer.get(..len) {
            None | Some([]) => return to.shutdown(Direction::Write).await.map_err(|_| Broken),
            // Copy: the two connections belong to two stacks, which share no memory.
            Some(bytes) => to.write_all(bytes).await.map_err(|_| Broken)?,
        }
    }
}
