//! Echo (RFC 862) and discard (RFC 863) on datagrams.
//!
//! Chargen is not offered by UDP: an answer that is longer than its question is what forged senders look for.

use alloc::vec;

use mirage_platform::Context;
use mirage_platform::clock::Duration;
use mirage_platform::stack::UdpSocket;

/// Longest datagram there is.
const BUFFER: usize = 65_535;

/// Sends every datagram back to where it came from, except to well-known ports: an echo service there would answer
/// for ever.
pub(crate) async fn echo(socket: impl UdpSocket, context: Context) {
    let mut buffer = vec![0; BUFFER];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok(datagram) if datagram.remote.port() < 1_024 => {}
            // A datagram that cannot go back is lost, as datagrams are.
            Ok(datagram) => drop(socket.send_to(&buffer[..datagram.len.min(BUFFER)], datagram.remote).await),
            Err(error) => pause(&context, &error).await,
        }
    }
}

/// Throws every datagram away.
pub(crate) async fn discard(socket: impl UdpSocket, context: Context) {
    loop {
        if let Err(error) = socket.recv_from(&mut []).await {
            pause(&context, &error).await;
        }
    }
}

/// Says what went wrong and lets others give back what there is too little of.
async fn pause(context: &Context, error: &dyn core::error::Error) {
    mirage_platform::log::warn!("UDP: {error}");
    context.sleep(Duration::from_millis(100)).await;
}
