//! A listening socket.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use mirage_stack::{ErrorType, TcpOptions};
use mirage_unix::{Direction, Reactor, Registered};
use rustix::io::Errno;

use crate::counters::{Open, Shared, edit};
use crate::{HostError, TcpStream, options, socket};

/// A listening socket of the host.
#[derive(Debug)]
pub struct TcpListener {
    reactor: Reactor,
    fd: Registered<OwnedFd>,
    local: SocketAddr,
    options: TcpOptions,
    counters: Shared,
}

impl TcpListener {
    pub(crate) fn new(
        reactor: Reactor,
        fd: Registered<OwnedFd>,
        local: SocketAddr,
        options: TcpOptions,
        counters: &Shared,
    ) -> Self {
        Self { reactor, fd, local, options, counters: counters.clone() }
    }
}

impl ErrorType for TcpListener {
    type Error = HostError;
}

impl mirage_stack::TcpListener for TcpListener {
    type Stream = TcpStream;

    /// `OutOfResources` when the process has no descriptor left: the connection still waits, so close something
    /// or wait before the next call.
    async fn accept(&mut self) -> Result<TcpStream, HostError> {
        loop {
            let accepted = self.fd.io(Direction::Read, |fd| match socket::accept(fd) {
                // It failed while it waited: the next one.
                Err(Errno::CONNABORTED | Errno::PROTO | Errno::NETDOWN | Errno::HOSTUNREACH | Errno::NETUNREACH) => {
                    Ok(None)
                }
                accepted => Ok(Some(accepted?)),
            });
            let Some((fd, Some(remote))) = accepted.await? else { continue };
            // Both can only fail for a connection that is broken already.
            let Ok(local) = socket::local_addr(&fd) else { continue };
            if options::apply(&fd, &self.options).is_err() {
                continue;
            }
            let fd = Registered::new(&self.reactor, fd)?;
            edit(&self.counters, |counters| counters.tcp_accepted += 1);
            return Ok(TcpStream::new(fd, local, remote, Open::connection(&self.counters)));
        }
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }
}
