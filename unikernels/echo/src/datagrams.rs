//! Echo (RFC 862) and discard (RFC 863) on datagrams.
//!
//! Chargen is not offered by UDP: an answer that is longer than its question is what forged senders look for.

use alloc::vec;

use mirage_platform::Context;
use mirage_platform::stack::UdpSocket;

use crate::PAUSE;

/// Longest datagram there is.
const BUFFER: usize = 65_535;

/// Sends every datagram back to where it came from, except to well-known ports: an echo service there would answer
/// for ever. Without `echo` throws every datagram away.
pub(crate) async fn serve(socket: impl UdpSocket, context: Context, echo: bool) {
    let mut buffer = vec![0; if echo { BUFFER } else { 0 }];
    loop {
        match socket.recv_from(&mut buffer).await {
            // A datagram that cannot go back is lost, as datagrams are.
            Ok(datagram) if echo && datagram.remote.port() >= 1_024 => {
                let bytes = buffer.get(..datagram.len).unwrap_or(&buffer);
                drop(socket.send_to(bytes, datagram.remote).await);
            }
            Ok(_) => {}
            Err(error) => {
                mirage_platform::log::warn!("UDP: {error}");
                context.sleep(PAUSE).await;
            }
        }
    }
}
