//! Services on connections: one task and one buffer for each.

use alloc::vec;
use core::future::Future;

use mirage_platform::clock::Duration;
use mirage_platform::stack::flow::Direction;
use mirage_platform::stack::{TcpListener, TcpStream};
use mirage_platform::{Context, Permits};

/// What a service may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// Bytes of buffer for each connection.
    pub(crate) buffer: usize,
    /// Connections at once.
    pub(crate) connections: usize,
}

impl Share {
    /// A service with `connections` at once; in a machine that has only `memory` bytes for it, with as many as have room
    /// there: smaller buffers before fewer connections than [`FEW`].
    pub(crate) fn of(memory: Option<usize>, connections: usize) -> Self {
        let Some(memory) = memory else { return Self { buffer: BUFFER, connections } };
        Self::with_buffer(memory, (memory / FEW).saturating_sub(TASK).clamp(LEAST, BUFFER), connections)
    }

    /// The same where every connection needs `buffer` bytes.
    pub(crate) fn with_buffer(memory: usize, buffer: usize, connections: usize) -> Self {
        Self { buffer, connections: connections.min(memory / (buffer + TASK)).max(1) }
    }
}

/// Bytes of buffer for each connection where there is memory enough, and at least.
const BUFFER: usize = 16_384;
const LEAST: usize = 512;
/// Bytes that a connection's task takes beside its buffer.
const TASK: usize = 1_024;
/// Connections that a small machine shall still serve.
const FEW: usize = 8;

/// Accepts for ever and runs `service` on each connection, as a task of its own, as long as there is a permit.
pub(crate) async fn serve<L, F>(
    mut listener: L,
    context: Context,
    permits: Permits,
    service: impl Fn(L::Stream) -> F + Copy + 'static,
) where
    L: TcpListener<Stream: 'static> + 'static,
    F: Future<Output = ()> + 'static,
{
    loop {
        let permit = permits.take().await;
        match listener.accept().await {
            Ok(stream) => {
                let connection = async move {
                    service(stream).await;
                    drop(permit);
                };
                // At the bound on tasks the connection is dropped, which closes it.
                let _ = context.spawn(connection);
            }
            Err(error) => {
                mirage_platform::log::warn!("accept: {error}");
                // Out of something: let others give it back.
                context.sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Everything comes back; the peer's end is answered with ours (RFC 862).
pub(crate) async fn echo(mut stream: impl TcpStream, buffer: usize) {
    let mut buffer = vec![0; buffer];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(len) if stream.write_all(&buffer[..len]).await.is_err() => break,
            Ok(_) => {}
        }
    }
    // The connection is over either way.
    let _ = stream.shutdown(Direction::Write).await;
}

/// Everything is thrown away (RFC 863).
pub(crate) async fn discard(mut stream: impl TcpStream, buffer: usize) {
    let mut buffer = vec![0; buffer];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_shrink_before_connections_do() {
        assert_eq!(Share::of(None, 1_024), Share { buffer: BUFFER, connections: 1_024 });
        assert_eq!(Share::of(Some(1 << 20), 1_024), Share { buffer: BUFFER, connections: 60 });
        assert_eq!(Share::of(Some(16 << 10), 1_024), Share { buffer: 1_024, connections: 8 });
        assert_eq!(Share::of(Some(4 << 10), 1_024), Share { buffer: LEAST, connections: 2 });
        assert_eq!(Share::of(Some(0), 1_024), Share { buffer: LEAST, connections: 1 });
        assert_eq!(Share::of(Some(1 << 20), 5), Share { buffer: BUFFER, connections: 5 });
    }
}
