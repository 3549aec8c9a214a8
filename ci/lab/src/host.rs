//! A host: a stack on a device of the network.

use core::cell::Cell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::Context;

use mirage_clock::Instant;
use mirage_net::MacAddress;
use mirage_stack::{ErrorType, ListenOptions, Stack, TcpListener as _, TcpOptions};
use mirage_vnetif::NodeId;

use crate::tasks::Woken;

pub use mirage_tcpip::Progress;

/// A stack that does nothing by itself.
pub trait Polled {
    /// Moves what can be moved.
    fn poll(&self, now: Instant, cx: &mut Context<'_>) -> Progress;
}

impl<S: Polled> Polled for &S {
    fn poll(&self, now: Instant, cx: &mut Context<'_>) -> Progress {
        S::poll(self, now, cx)
    }
}

/// A stack and its place in the network.
pub struct Host<S> {
    /// The stack: a reference to it is what applications know.
    pub stack: S,
    /// Its address.
    pub address: IpAddr,
    /// Its device in the network.
    pub id: NodeId,
    /// Its device's address.
    pub mac: MacAddress,
    woken: Woken,
    progress: Cell<Progress>,
}

/// A stack, whatever its device, to those who run it.
pub trait Driven {
    /// Polls the stack if it wants to be polled; says whether it did.
    fn drive(&self, now: Instant) -> bool;

    /// When it wants to be polled even if nothing arrives.
    fn next(&self) -> Option<Instant>;
}

impl<S> Host<S> {
    pub(crate) fn new(id: NodeId, mac: MacAddress, address: Ipv4Addr, stack: S) -> Self {
        let progress = Cell::new(Progress { more: false, next: None });
        Self { stack, address: address.into(), id, mac, woken: Woken::default(), progress }
    }

    /// Its end with `port`.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address, port)
    }

    /// Listens on `port`.
    pub fn listen<'h>(&'h self, port: u16) -> <&'h S as Stack>::TcpListener
    where
        &'h S: Stack,
    {
        self.listen_with(port, ListenOptions::default())
    }

    /// Listens on `port`, as told.
    pub fn listen_with<'h>(&'h self, port: u16, options: ListenOptions) -> <&'h S as Stack>::TcpListener
    where
        &'h S: Stack,
    {
        let any = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
        (&self.stack).listen(any, options).expect("the port is free")
    }

    /// Opens a connection.
    pub async fn connect<'h>(
        &'h self,
        to: SocketAddr,
    ) -> Result<<&'h S as Stack>::TcpStream, <&'h S as ErrorType>::Error>
    where
        &'h S: Stack,
    {
        (&self.stack).connect(to, TcpOptions::default()).await
    }

    /// A connection to `server`, and what its listener gives.
    pub async fn pair<'h, T>(
        &'h self,
        server: &'h Host<T>,
        port: u16,
    ) -> (<&'h S as Stack>::TcpStream, <&'h T as Stack>::TcpStream)
    where
        &'h S: Stack,
        &'h T: Stack,
    {
        let mut listener = server.listen(port);
        let here = self.connect(server.at(port)).await.expect("the server listens");
        let there = listener.accept().await.expect("a connection waits");
        (here, there)
    }
}

impl<S: Polled> Driven for Host<S> {
    fn drive(&self, now: Instant) -> bool {
        let Progress { more, next } = self.progress.get();
        let woken = self.woken.take();
        if !(woken || more || next.is_some_and(|next| next <= now)) {
            return false;
        }
        let mut cx = Context::from_waker(&self.woken.waker);
        self.progress.set(self.stack.poll(now, &mut cx));
        true
    }

    fn next(&self) -> Option<Instant> {
        self.progress.get().next
    }
}
