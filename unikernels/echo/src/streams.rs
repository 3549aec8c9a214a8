//! Services on connections: one task and one buffer for each.

use alloc::vec;

use mirage_platform::stack::{TcpListener, TcpStream};
use mirage_platform::{Context, Permit, Permits};

use crate::PAUSE;
use crate::chargen::chargen;

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

/// What is done with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Everything comes back (RFC 862).
    Echo,
    /// Everything is thrown away (RFC 863).
    Discard,
    /// Characters without end (RFC 864).
    Chargen,
}

/// Accepts for ever and offers `service` on each connection, as a task of its own, `share.connections` at once.
pub(crate) async fn serve<L>(mut listener: L, context: Context, service: Service, share: Share)
where
    L: TcpListener<Stream: TcpStream + 'static> + 'static,
{
    let permits = Permits::new(share.connections);
    loop {
        let permit = permits.take().await;
        match listener.accept().await {
            // At the bound on tasks the connection is dropped, which closes it.
            Ok(stream) => drop(context.spawn(connection(stream, service, share.buffer, permit))),
            Err(error) => {
                mirage_platform::log::warn!("accept: {error}");
                context.sleep(PAUSE).await;
            }
        }
    }
}

/// Serves until the peer ends it. Its end is answered with ours, as the stream is dropped.
async fn connection(mut stream: impl TcpStream, service: Service, buffer: usize, _permit: Permit) {
    if service == Service::Chargen {
        return chargen(&mut stream).await;
    }
    let mut buffer = vec![0; buffer];
    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
        let bytes = buffer.get(..len).unwrap_or(&buffer);
        if service == Service::Echo && stream.write_all(bytes).await.is_err() {
            break;
        }
    }
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
