//! The door.

use std::net::SocketAddr;

use mirage_stack::{ErrorType, ListenOptions, Stack, TcpOptions};
use mirage_unix::{Direction, Reactor, Registered};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SocketType, sockopt};

use crate::counters::{Open, Shared, edit};
use crate::{Counters, HostError, TcpListener, TcpStream, UdpSocket, options, socket};

/// The host's own sockets as a stack. A handle: clones are the same stack.
#[derive(Clone, Debug)]
pub struct HostStack {
    reactor: Reactor,
    counters: Shared,
}

impl HostStack {
    /// A stack whose tasks are woken by `reactor`: whoever runs them must wait on it.
    pub fn new(reactor: &Reactor) -> Self {
        Self { reactor: reactor.clone(), counters: Shared::default() }
    }

    /// What is open now and what was done so far.
    pub fn counters(&self) -> Counters {
        self.counters.get()
    }
}

impl ErrorType for HostStack {
    type Error = HostError;
}

impl Stack for HostStack {
    type TcpStream = TcpStream;
    type TcpListener = TcpListener;
    type UdpSocket = UdpSocket;

    async fn connect(&self, remote: SocketAddr, options: TcpOptions) -> Result<TcpStream, HostError> {
        let fd = socket::new(remote, SocketType::STREAM)?;
        options::apply(&fd, &options)?;
        match rustix::net::connect(&fd, &remote) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
            // Linux: no port is free.
            Err(Errno::AGAIN | Errno::ADDRNOTAVAIL) => return Err(mirage_stack::ErrorKind::OutOfResources.into()),
            Err(error) => return Err(error.into()),
        }
        let fd = Registered::new(&self.reactor, fd)?;
        fd.io(Direction::Write, |fd| {
            let mut asked = [PollFd::new(fd, PollFlags::OUT)];
            if poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? == 0 {
                return Err(Errno::AGAIN.into());
            }
            Ok(sockopt::socket_error(fd)??)
        })
        .await?;
        let local = socket::local_addr(fd.get_ref())?;
        edit(&self.counters, |counters| counters.tcp_opened += 1);
        Ok(TcpStream::new(fd, local, remote, Open::connection(&self.counters)))
    }

    fn listen(&self, local: SocketAddr, options: ListenOptions) -> Result<TcpListener, HostError> {
        let fd = socket::new(local, SocketType::STREAM)?;
        // Otherwise connections of our last run keep the port for a minute.
        sockopt::set_socket_reuseaddr(&fd, true)?;
        if local.is_ipv6() {
            sockopt::set_ipv6_v6only(&fd, true)?;
        }
        rustix::net::bind(&fd, &local)?;
        rustix::net::listen(&fd, i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
        let local = socket::local_addr(&fd)?;
        Ok(TcpListener::new(
            self.reactor.clone(),
            Registered::new(&self.reactor, fd)?,
            local,
            options.tcp,
            &self.counters,
        ))
    }

    fn bind(&self, local: SocketAddr) -> Result<UdpSocket, HostError> {
        let fd = socket::new(local, SocketType::DGRAM)?;
        match local {
            SocketAddr::V4(_) => sockopt::set_socket_broadcast(&fd, true)?,
            SocketAddr::V6(_) => sockopt::set_ipv6_v6only(&fd, true)?,
        }
        rustix::net::bind(&fd, &local)?;
        let local = socket::local_addr(&fd)?;
        Ok(UdpSocket::new(Registered::new(&self.reactor, fd)?, local, Open::udp_socket(&self.counters)))
    }
}
