//! How applications get their handles: `mirage_stack::Stack` on a reference to the stack.

use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;

use mirage_net::{Net, Transmit as _};
use mirage_protocols::Ip as _;
use mirage_stack::{ErrorType, ListenOptions, TcpOptions};
use mirage_tcp::{ConnectError, ConnectionId, ListenError, ListenerId, Local, Profile};
use mirage_udp::PortChoice;

use crate::sockets::{Shared, wake};
use crate::{ErrorKind, Stack, TcpListener, TcpStream, UdpSocket};

impl<N, P: Profile> ErrorType for Stack<'_, N, P> {
    type Error = ErrorKind;
}

impl<'a, 's, N: Net, P: Profile> mirage_stack::Stack for &'a Stack<'s, N, P> {
    type TcpStream = TcpStream<'a, 's, P>;
    type TcpListener = TcpListener<'a, 's, P>;
    type UdpSocket = UdpSocket<'a, 's, N, P>;

    async fn connect(&self, remote: SocketAddr, options: TcpOptions) -> Result<TcpStream<'a, 's, P>, ErrorKind> {
        let stack: &'a Stack<'s, N, P> = self;
        let source = stack.source(remote.ip())?;
        let id = stack.shared.connect(source, remote, options)?;
        let mut stream = TcpStream::new(&stack.shared, &stack.device, id);
        // Dropping the stream, should the caller give up waiting, breaks the attempt off.
        stream.connected().await?;
        Ok(stream)
    }

    fn listen(&self, local: SocketAddr, options: ListenOptions) -> Result<TcpListener<'a, 's, P>, ErrorKind> {
        let stack: &'a Stack<'s, N, P> = self;
        Ok(stack.listener(stack.shared.listen(local, options)?))
    }

    fn bind(&self, local: SocketAddr) -> Result<UdpSocket<'a, 's, N, P>, ErrorKind> {
        let stack: &'a Stack<'s, N, P> = self;
        stack.bind_to(local)
    }
}

impl<'s, N: Net, P: Profile> Stack<'s, N, P> {
    /// Listens on every port and every address on which nobody else listens: the door of a gateway. Meant for a stack
    /// with [`Config::accept_any`](crate::Config::accept_any); what a connection was opened to is its local address.
    ///
    /// # Errors
    /// [`ErrorKind::AddressInUse`], [`ErrorKind::OutOfResources`].
    pub fn listen_any(&self, options: ListenOptions) -> Result<TcpListener<'_, 's, P>, ErrorKind> {
        Ok(self.listener(self.shared.listen_on(Local { address: None, port: None }, options)?))
    }

    /// Receives datagrams to every port and every address for which there is no other socket: the other door of a
    /// gateway. Answer with [`UdpSocket::send_from`].
    ///
    /// # Errors
    /// [`ErrorKind::AddressInUse`], [`ErrorKind::OutOfResources`].
    pub fn bind_any(&self) -> Result<UdpSocket<'_, 's, N, P>, ErrorKind> {
        self.bind_on(mirage_udp::Local { address: None, port: PortChoice::Any })
    }

    fn bind_to(&self, local: SocketAddr) -> Result<UdpSocket<'_, 's, N, P>, ErrorKind> {
        let address = self.shared.own(local.ip())?;
        let port = NonZeroU16::new(local.port()).map_or(PortChoice::Ephemeral, PortChoice::Exactly);
        self.bind_on(mirage_udp::Local { address, port })
    }

    fn bind_on(&self, local: mirage_udp::Local) -> Result<UdpSocket<'_, 's, N, P>, ErrorKind> {
        self.speak_udp();
        let id = self.shared.machines().udp.bind(local).map_err(|error| mirage_stack::Error::kind(&error))?;
        Ok(UdpSocket::new(self, id))
    }

    fn listener(&self, id: ListenerId) -> TcpListener<'_, 's, P> {
        TcpListener::new(&self.shared, &self.device, id)
    }

    /// Our address towards `to`.
    fn source(&self, to: IpAddr) -> Result<IpAddr, ErrorKind> {
        let machines = &mut *self.shared.machines();
        let mut device = self.device.lent();
        let link = machines.ethernet.over(device.split().1);
        let neighbours = machines.arp.over(machines.now, link);
        let (_, mut outbound) = machines.ipv4.split();
        outbound.over(neighbours).source(to).ok_or(ErrorKind::HostUnreachable)
    }

    /// Whether the cable is in.
    pub fn link(&self) -> mirage_net::Link {
        self.device.lent().split().1.link()
    }
}

impl<'s, P: Profile> Shared<'s, P> {
    fn connect(&self, source: IpAddr, remote: SocketAddr, options: TcpOptions) -> Result<ConnectionId, ErrorKind> {
        let mut shared = self.undisturbed();
        let machines = &mut *shared;
        let id = machines.tcp.connect(machines.now, source, None, remote, options).map_err(|error| match error {
            ConnectError::AddressInUse => ErrorKind::AddressInUse,
            ConnectError::Unsupported => ErrorKind::Unsupported,
            _ => ErrorKind::OutOfResources,
        })?;
        let driver = shared.driver.take();
        drop(shared);
        wake(driver);
        Ok(id)
    }

    fn listen(&self, local: SocketAddr, options: ListenOptions) -> Result<ListenerId, ErrorKind> {
        let address = self.own(local.ip())?;
        match NonZeroU16::new(local.port()) {
            Some(port) => self.listen_on(Local { address, port: Some(port) }, options),
            None => self.listen_anywhere(address, options),
        }
    }

    /// Listens on a free port of the dynamic range (RFC 6335 §6).
    fn listen_anywhere(&self, address: Option<IpAddr>, options: ListenOptions) -> Result<ListenerId, ErrorKind> {
        for port in DYNAMIC_PORTS {
            match self.listen_on(Local { address, port: NonZeroU16::new(port) }, options) {
                Err(ErrorKind::AddressInUse) => {}
                result => return result,
            }
        }
        Err(ErrorKind::AddressInUse)
    }

    fn listen_on(&self, local: Local, options: ListenOptions) -> Result<ListenerId, ErrorKind> {
        self.tcp().listen(local, options).map_err(|error| match error {
            ListenError::AddressInUse => ErrorKind::AddressInUse,
            _ => ErrorKind::OutOfResources,
        })
    }

    /// `None` for every address of ours; an error for one that is not ours.
    fn own(&self, address: IpAddr) -> Result<Option<IpAddr>, ErrorKind> {
        match address {
            _ if address.is_unspecified() => Ok(None),
            _ if self.machines().is_local(address) => Ok(Some(address)),
            _ => Err(ErrorKind::AddressNotAvailable),
        }
    }
}

/// Ports nobody is assigned (RFC 6335 §6).
const DYNAMIC_PORTS: core::ops::RangeInclusive<u16> = 49_152..=65_535;
