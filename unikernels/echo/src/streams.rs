//! Services on connections: one task and one buffer for each.

use alloc::vec;
use core::future::Future;

use mirage_platform::clock::Duration;
use mirage_platform::stack::flow::Direction;
use mirage_platform::stack::{TcpListener, TcpStream};
use mirage_platform::{Context, Permits};

/// Bytes of buffer for each connection.
pub(crate) const BUFFER: usize = 16_384;

/// Bytes that a connection may hold: its buffer and its task.
pub(crate) const MEMORY: usize = BUFFER + 2_048;

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
pub(crate) async fn echo(mut stream: impl TcpStream) {
    let mut buffer = vec![0; BUFFER];
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
pub(crate) async fn discard(mut stream: impl TcpStream) {
    let mut buffer = vec![0; BUFFER];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}
