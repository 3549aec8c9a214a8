//! A connection.

use std::cell::Cell;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use embedded_io_async::{ErrorType, Read, ReadReady, Write, WriteReady};
use mirage_flow::{Direction, Shutdown, Split};
use mirage_stack::{ErrorKind, Keepalive};
use mirage_unix::{Direction as Wait, Registered};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, sockopt};

use crate::counters::Open;
use crate::{HostError, options};

/// A connection of the host.
///
/// Every method is cancel-safe: a dropped `read` has taken nothing, a dropped `write` has written nothing.
#[derive(Debug)]
pub struct TcpStream {
    fd: Registered<OwnedFd>,
    local: SocketAddr,
    remote: SocketAddr,
    /// The peer has ended its direction, or we have given up reading.
    read_ended: Cell<bool>,
    /// Nothing unread can be left: the peer's end was read, or we do not care.
    emptied: Cell<bool>,
    write_ended: Cell<bool>,
    _open: Open,
}

impl TcpStream {
    pub(crate) fn new(fd: Registered<OwnedFd>, local: SocketAddr, remote: SocketAddr, open: Open) -> Self {
        let ended = || Cell::new(false);
        Self { fd, local, remote, read_ended: ended(), emptied: ended(), write_ended: ended(), _open: open }
    }

    async fn receive(&self, buffer: &mut [u8]) -> Result<usize, HostError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let received = self.fd.io(Wait::Read, |fd| {
            if self.read_ended.get() {
                return Ok(0);
            }
            let (received, _) = rustix::net::recv(fd, &mut *buffer, RecvFlags::empty())?;
            if received == 0 {
                self.read_ended.set(true);
                self.emptied.set(true);
            }
            Ok(received)
        });
        Ok(received.await?)
    }

    async fn transmit(&self, bytes: &[u8]) -> Result<usize, HostError> {
        if self.write_ended.get() {
            return Err(ErrorKind::Closed.into());
        }
        if bytes.is_empty() {
            return Ok(0);
        }
        Ok(self.fd.io(Wait::Write, |fd| Ok(rustix::net::send(fd, bytes, SendFlags::NOSIGNAL)?)).await?)
    }

    /// Whether an operation would not wait now.
    fn ready(&self, flags: PollFlags) -> Result<bool, HostError> {
        let mut asked = [PollFd::new(self.fd.get_ref(), flags)];
        Ok(poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
    }

    fn end(&self, direction: Direction) -> Result<(), HostError> {
        use rustix::net::Shutdown::{Both, Read, Write};
        let how = match direction {
            Direction::Read => Read,
            Direction::Write => Write,
            Direction::Both => Both,
        };
        if matches!(how, Read | Both) {
            self.read_ended.set(true);
        }
        if matches!(how, Write | Both) {
            self.write_ended.set(true);
        }
        match rustix::net::shutdown(self.fd.get_ref(), how) {
            // Both directions are over already.
            Ok(()) | Err(Errno::NOTCONN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for TcpStream {
    /// Ends our direction and reads away what the peer sent in vain: a socket that is closed over unread bytes is reset,
    /// and the reset would overtake what we wrote.
    fn drop(&mut self) {
        if self.emptied.get() || self.end(Direction::Write).is_err() {
            return;
        }
        let mut waste = [0; 16_384];
        for _ in 0..16 {
            if !matches!(rustix::net::recv(self.fd.get_ref(), &mut waste, RecvFlags::empty()), Ok((1.., _))) {
                break;
            }
        }
    }
}

impl mirage_stack::TcpStream for TcpStream {
    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn remote_addr(&self) -> SocketAddr {
        self.remote
    }

    fn set_nodelay(&mut self, nodelay: bool) {
        // Fails only on a broken connection, which the next read or write tells.
        let _ = sockopt::set_tcp_nodelay(self.fd.get_ref(), nodelay);
    }

    fn set_keepalive(&mut self, keepalive: Option<Keepalive>) {
        // As above.
        let _ = options::set_keepalive(self.fd.get_ref().as_fd(), keepalive);
    }

    fn abort(self) {
        // RFC 9293 §3.10.5: the kernel sends a reset when a socket without linger time is closed.
        let _ = sockopt::set_socket_linger(self.fd.get_ref(), Some(Duration::ZERO));
        self.emptied.set(true);
    }
}

impl Split for TcpStream {
    type Reader<'a> = Reader<'a>;
    type Writer<'a> = Writer<'a>;

    fn split(&mut self) -> (Reader<'_>, Writer<'_>) {
        (Reader(self), Writer(self))
    }
}

/// The half of a [`TcpStream`] that reads.
#[derive(Debug)]
pub struct Reader<'a>(&'a TcpStream);

/// The half of a [`TcpStream`] that writes.
#[derive(Debug)]
pub struct Writer<'a>(&'a TcpStream);

impl ErrorType for TcpStream {
    type Error = HostError;
}

impl ErrorType for Reader<'_> {
    type Error = HostError;
}

impl ErrorType for Writer<'_> {
    type Error = HostError;
}

impl Read for TcpStream {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        self.receive(buffer).await
    }
}

impl Read for Reader<'_> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        self.0.receive(buffer).await
    }
}

impl ReadReady for TcpStream {
    fn read_ready(&mut self) -> Result<bool, HostError> {
        Ok(self.read_ended.get() || self.ready(PollFlags::IN)?)
    }
}

impl ReadReady for Reader<'_> {
    fn read_ready(&mut self) -> Result<bool, HostError> {
        Ok(self.0.read_ended.get() || self.0.ready(PollFlags::IN)?)
    }
}

impl Write for TcpStream {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, HostError> {
        self.transmit(bytes).await
    }

    /// Nothing to do: the kernel sends by itself.
    async fn flush(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}

impl Write for Writer<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, HostError> {
        self.0.transmit(bytes).await
    }

    /// Nothing to do: the kernel sends by itself.
    async fn flush(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}

impl WriteReady for TcpStream {
    fn write_ready(&mut self) -> Result<bool, HostError> {
        Ok(self.write_ended.get() || self.ready(PollFlags::OUT)?)
    }
}

impl WriteReady for Writer<'_> {
    fn write_ready(&mut self) -> Result<bool, HostError> {
        Ok(self.0.write_ended.get() || self.0.ready(PollFlags::OUT)?)
    }
}

impl Shutdown for TcpStream {
    async fn shutdown(&mut self, direction: Direction) -> Result<(), HostError> {
        self.end(direction)
    }
}

impl Shutdown for Writer<'_> {
    async fn shutdown(&mut self, direction: Direction) -> Result<(), HostError> {
        self.0.end(direction)
    }
}
