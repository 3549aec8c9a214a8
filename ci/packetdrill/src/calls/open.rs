//! Sockets come into being, listen, accept and connect.

use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU16;
use std::os::fd::AsRawFd as _;
use std::task::{Context, Poll, Waker};

use libc::c_int;
use mirage_stack::ListenOptions;
use mirage_tcp::{ConnectionId, Error, Local};

use crate::errno::{Answer, Errno};
use crate::socket::{Descriptor, Role, Socket};
use crate::world::World;

impl World {
    pub(crate) fn open(&mut self, domain: c_int, kind: c_int, protocol: c_int) -> Answer<c_int> {
        if domain != libc::AF_INET {
            return Err(Errno(libc::EAFNOSUPPORT));
        }
        if kind & 0xf != libc::SOCK_STREAM || !matches!(protocol, 0 | libc::IPPROTO_TCP) {
            return Err(Errno(libc::EPROTONOSUPPORT));
        }
        // The machine begins here, or learns which `sysctl`s the script has set since.
        let config = self.profile().config();
        self.stack().tcp.reconfigure(config);
        let socket = Socket { nonblocking: kind & libc::SOCK_NONBLOCK != 0, ..Socket::default() };
        self.add(Descriptor::Socket(Box::new(socket)))
    }

    /// Gives a descriptor a number that is free in the whole process, since packetdrill closes it by itself at the end.
    pub(crate) fn add(&mut self, descriptor: Descriptor) -> Answer<c_int> {
        let file = std::fs::File::open("/dev/null").map_err(|_| Errno(libc::EMFILE))?;
        let fd = file.as_raw_fd();
        self.numbers.insert(fd, file);
        self.descriptors.insert(fd, descriptor);
        Ok(fd)
    }

    pub(crate) fn bind(&mut self, fd: c_int, address: SocketAddrV4) -> Answer<()> {
        let socket = self.socket(fd)?;
        match socket.role {
            Role::Fresh => {
                socket.role = Role::Bound(address);
                Ok(())
            }
            _ => Err(Errno(libc::EINVAL)),
        }
    }

    pub(crate) fn listen(&mut self, fd: c_int, backlog: c_int) -> Answer<()> {
        let socket = self.socket(fd)?;
        let Role::Bound(address) = socket.role else { return Err(Errno(libc::EINVAL)) };
        // Linux lets one more wait than it is told.
        let backlog = usize::try_from(backlog).unwrap_or(0) + 1;
        let options = ListenOptions { backlog, tcp: socket.options.tcp() };
        let local = Local {
            address: Some(IpAddr::V4(*address.ip())).filter(|address| !address.is_unspecified()),
            port: NonZeroU16::new(address.port()),
        };
        let id = self.stack().tcp.listen(local, options)?;
        self.socket(fd)?.role = Role::Listener { id, waiting: Default::default() };
        self.apply_fast_open(fd)
    }

    /// Tells the machine how a listener takes data with the SYN.
    pub(crate) fn apply_fast_open(&mut self, fd: c_int) -> Answer<()> {
        let socket = self.socket(fd)?;
        let Role::Listener { id, .. } = socket.role else { return Ok(()) };
        let (pending, key) = (socket.options.fast_open, socket.options.fast_open_key);
        let mut fast_open = self.profile().fast_open(pending);
        if let (Some(fast_open), Some(key)) = (&mut fast_open, key) {
            fast_open.key = key;
        }
        self.stack().tcp.set_fast_open(id, fast_open);
        Ok(())
    }

    /// The oldest connection that waits, as a new descriptor with the address of its peer.
    pub(crate) fn accept(&mut self, fd: c_int) -> Poll<Answer<(c_int, Option<SocketAddr>)>> {
        let id = match self.next_waiting(fd) {
            Ok(Some(_)) => match &mut self.socket(fd)?.role {
                Role::Listener { waiting, .. } => waiting.pop_front(),
                _ => None,
            },
            Ok(None) => None,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let Some(id) = id else { return Poll::Pending };
        let options = self.socket(fd)?.options.clone();
        let tcp = &mut self.stack().tcp;
        tcp.set_nodelay(id, options.nodelay);
        let remote = tcp.remote(id);
        self.apply_unsent_limit(id, options.unsent_limit);
        let role = Role::Stream { id, opened: true };
        let fd = self.add(Descriptor::Socket(Box::new(Socket { role, options, ..Socket::default() })))?;
        Poll::Ready(Ok((fd, remote)))
    }

    /// The oldest connection that waits at a listener.
    pub(crate) fn next_waiting(&mut self, fd: c_int) -> Answer<Option<ConnectionId>> {
        let Role::Listener { id, ref waiting } = self.socket(fd)?.role else { return Err(Errno(libc::EINVAL)) };
        if let Some(first) = waiting.front() {
            return Ok(Some(*first));
        }
        match self.stack().tcp.poll_accept(id, &mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Ok(None),
            Poll::Ready(Err(error)) => Err(error.into()),
            Poll::Ready(Ok(found)) => {
                if let Role::Listener { waiting, .. } = &mut self.socket(fd)?.role {
                    waiting.push_back(found);
                }
                Ok(Some(found))
            }
        }
    }

    /// Begins to connect, or says how far an attempt has come: `EALREADY`, `EISCONN`, or why it failed.
    pub(crate) fn connect(&mut self, fd: c_int, remote: SocketAddrV4) -> Answer<()> {
        let local = self.profile().local;
        let now = self.now;
        let socket = self.socket(fd)?;
        if socket.options.fast_open_connect && matches!(socket.role, Role::Fresh | Role::Bound(_)) {
            if self.may_send_first(remote) {
                self.socket(fd)?.role = Role::Deferred(remote);
                return Ok(());
            }
            return self.connect_with(fd, remote, &[]).map(drop);
        }
        let socket = self.socket(fd)?;
        let (source, port) = match socket.role {
            Role::Fresh => (local, None),
            Role::Bound(address) => {
                (if address.ip().is_unspecified() { local } else { *address.ip() }, NonZeroU16::new(address.port()))
            }
            Role::Stream { opened: true, .. } | Role::Listener { .. } | Role::Deferred(_) => {
                return Err(Errno(libc::EISCONN));
            }
            Role::Stream { .. } => {
                return match self.connected(fd) {
                    Poll::Pending => Err(Errno(libc::EALREADY)),
                    Poll::Ready(answer) => answer,
                };
            }
        };
        let options = socket.options.tcp();
        let id = self.stack().tcp.connect(now, source.into(), port, remote.into(), options)?;
        self.socket(fd)?.role = Role::Stream { id, opened: false };
        Ok(())
    }

    /// Whether an attempt to connect came to its end.
    pub(crate) fn connected(&mut self, fd: c_int) -> Poll<Answer<()>> {
        if matches!(self.socket(fd)?.role, Role::Deferred(_)) {
            return Poll::Ready(Ok(()));
        }
        let Some(id) = self.socket(fd)?.connection() else { return Poll::Ready(Err(Errno(libc::ENOTCONN))) };
        match self.stack().tcp.poll_connected(id, &mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => {
                self.socket(fd)?.role = Role::Stream { id, opened: true };
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.tell(fd, error))),
        }
    }

    /// Whether an attempt to connect has yet to come to its end.
    pub(crate) fn is_connecting(&mut self, fd: c_int) -> bool {
        let Ok(Some(id)) = self.socket(fd).map(|socket| socket.connection()) else { return false };
        self.stack().tcp.poll_connected(id, &mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// Why a connection failed, unless the application was told.
    pub(crate) fn failure(&mut self, fd: c_int) -> Option<Errno> {
        let socket = self.socket(fd).ok().filter(|socket| !socket.told)?;
        let id = socket.connection()?;
        match self.stack().tcp.poll_connected(id, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(error)) => Some(error.into()),
            _ => None,
        }
    }

    /// An error that the application is told now, once.
    pub(crate) fn tell(&mut self, fd: c_int, error: Error) -> Errno {
        if let Ok(socket) = self.socket(fd) {
            socket.told = true;
        }
        error.into()
    }
}
