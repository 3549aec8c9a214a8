//! What can be said about a connection, said to the kernel.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use mirage_stack::{Keepalive, TcpOptions};
use rustix::io::Errno;
use rustix::net::sockopt;

/// Says everything in `options` that differs from a fresh socket.
pub(crate) fn apply(socket: impl AsFd, options: &TcpOptions) -> Result<(), Errno> {
    let socket = socket.as_fd();
    if options.nodelay {
        sockopt::set_tcp_nodelay(socket, true)?;
    }
    if options.keepalive.is_some() {
        set_keepalive(socket, options.keepalive)?;
    }
    if let Some(timeout) = options.user_timeout {
        set_user_timeout(socket, timeout.into())?;
    }
    Ok(())
}

/// The kernel counts in whole seconds: anything shorter becomes one.
pub(crate) fn set_keepalive(socket: BorrowedFd<'_>, keepalive: Option<Keepalive>) -> Result<(), Errno> {
    sockopt::set_socket_keepalive(socket, keepalive.is_some())?;
    if let Some(Keepalive { after, interval, probes }) = keepalive {
        let seconds = |span: mirage_clock::Duration| Duration::from_secs(span.as_secs().clamp(1, 32_767));
        sockopt::set_tcp_keepidle(socket, seconds(after))?;
        sockopt::set_tcp_keepintvl(socket, seconds(interval))?;
        sockopt::set_tcp_keepcnt(socket, u32::from(probes).clamp(1, 127))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn set_user_timeout(socket: BorrowedFd<'_>, timeout: Duration) -> Result<(), Errno> {
    let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX).clamp(1, i32::MAX as u32);
    sockopt::set_tcp_user_timeout(socket, millis)
}

/// Other systems have no such option: the connection keeps the system's own timeout.
#[cfg(not(target_os = "linux"))]
fn set_user_timeout(_socket: BorrowedFd<'_>, _timeout: Duration) -> Result<(), Errno> {
    Ok(())
}
