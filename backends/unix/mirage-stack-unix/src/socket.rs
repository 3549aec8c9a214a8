//! Making non-blocking sockets, the same way on every Unix.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType};

/// A non-blocking socket that children do not inherit.
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn new(address: SocketAddr, kind: SocketType) -> Result<OwnedFd, Errno> {
    use rustix::net::{SocketFlags, socket_with};
    socket_with(family(address), kind, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)
}

/// The oldest waiting connection with its peer's address.
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn accept(listener: impl AsFd) -> Result<(OwnedFd, Option<SocketAddr>), Errno> {
    use rustix::net::{SocketFlags, acceptfrom_with};
    let (fd, peer) = acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    Ok((fd, peer.and_then(|peer| peer.try_into().ok())))
}

/// A non-blocking socket that children do not inherit.
#[cfg(target_vendor = "apple")]
pub(crate) fn new(address: SocketAddr, kind: SocketType) -> Result<OwnedFd, Errno> {
    dress(rustix::net::socket(family(address), kind, None)?)
}

/// The oldest waiting connection with its peer's address.
#[cfg(target_vendor = "apple")]
pub(crate) fn accept(listener: impl AsFd) -> Result<(OwnedFd, Option<SocketAddr>), Errno> {
    let (fd, peer) = rustix::net::acceptfrom(listener)?;
    Ok((dress(fd)?, peer.and_then(|peer| peer.try_into().ok())))
}

/// What other systems do while they make the socket.
#[cfg(target_vendor = "apple")]
fn dress(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    rustix::io::ioctl_fionbio(&fd, true)?;
    rustix::io::ioctl_fioclex(&fd)?;
    rustix::net::sockopt::set_socket_nosigpipe(&fd, true)?;
    Ok(fd)
}

/// Our end of `socket`.
pub(crate) fn local_addr(socket: impl AsFd) -> Result<SocketAddr, Errno> {
    rustix::net::getsockname(socket)?.try_into()
}

fn family(address: SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}
