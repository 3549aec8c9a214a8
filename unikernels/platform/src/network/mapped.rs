//! A stack whose services lie elsewhere: port 80 of the application at port 8080 of a host that lets nobody have 80.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mirage_stack::{ErrorType, ListenOptions, Stack, TcpListener, TcpOptions, UdpSocket};

use super::{Forward, Forwards, Protocol, Service};

/// A stack that opens the application's services where a table of forwards says.
///
/// A service that the table does not know is opened at its own port, and only for the host itself unless the application
/// names an address. A socket without a port of its own, such as a client's, is left alone.
#[derive(Clone, Debug)]
pub struct Mapped<S> {
    stack: S,
    forwards: Forwards,
}

impl<S> Mapped<S> {
    /// `stack`, with services where `forwards` says. A free port that is chosen is written there.
    pub const fn new(stack: S, forwards: Forwards) -> Self {
        Self { stack, forwards }
    }

    fn place(&self, protocol: Protocol, local: SocketAddr) -> SocketAddr {
        if local.port() == 0 {
            return local;
        }
        let known = self.forwards.host(Service { protocol, port: local.port() });
        known.unwrap_or_else(|| match local.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), local.port()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), local.port()),
            _ => local,
        })
    }

    fn note(&self, protocol: Protocol, asked: SocketAddr, host: SocketAddr) {
        if asked.port() != 0 {
            self.forwards.set(Forward { host, service: Service { protocol, port: asked.port() } });
        }
    }
}

impl<S: ErrorType> ErrorType for Mapped<S> {
    type Error = S::Error;
}

impl<S: Stack> Stack for Mapped<S> {
    type TcpStream = S::TcpStream;
    type TcpListener = S::TcpListener;
    type UdpSocket = S::UdpSocket;

    async fn connect(&self, remote: SocketAddr, options: TcpOptions) -> Result<S::TcpStream, S::Error> {
        self.stack.connect(remote, options).await
    }

    fn listen(&self, local: SocketAddr, options: ListenOptions) -> Result<S::TcpListener, S::Error> {
        let listener = self.stack.listen(self.place(Protocol::Tcp, local), options)?;
        self.note(Protocol::Tcp, local, listener.local_addr());
        Ok(listener)
    }

    fn bind(&self, local: SocketAddr) -> Result<S::UdpSocket, S::Error> {
        let socket = self.stack.bind(self.place(Protocol::Udp, local))?;
        self.note(Protocol::Udp, local, socket.local_addr());
        Ok(socket)
    }
}
