//! Connections we open.

use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;
use core::task::{Context, Poll};

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use mirage_stack::TcpOptions;

use crate::connection::todo;
use crate::demux::{Found, Tuple};
use crate::{ConnectError, ConnectionId, Error, Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// Opens a connection from `source`, an address of ours, to `remote`; the SYN leaves with the next
    /// [`poll_transmit`](Self::poll_transmit). A local port that is not given is chosen such that strangers cannot guess
    /// it (RFC 6056).
    ///
    /// # Errors
    /// See [`ConnectError`]; later ones are told by [`poll_connected`](Self::poll_connected).
    pub fn connect(
        &mut self,
        now: Instant,
        source: IpAddr,
        local_port: Option<NonZeroU16>,
        remote: SocketAddr,
        options: TcpOptions,
    ) -> Result<ConnectionId, ConnectError> {
        if !P::OPENS {
            return Err(ConnectError::Unsupported);
        }
        let bad = remote.port() == 0
            || source.is_ipv4() != remote.is_ipv4()
            || !may_be_peer(source)
            || !may_be_peer(remote.ip())
            || local_port.is_some_and(|port| remote == SocketAddr::new(source, port.get()));
        if bad {
            return Err(ConnectError::InvalidAddress);
        }
        let local_given = local_port.map_or(0, NonZeroU16::get);
        let mut tuple =
            Tuple { local: source, remote: remote.ip(), local_port: local_given, remote_port: remote.port() };
        if local_port.is_none() {
            let mut search = self.ports.search(&self.secrets.ports, &tuple);
            loop {
                tuple.local_port = self.ports.next(&mut search).ok_or(ConnectError::OutOfPorts)?.get();
                let itself = tuple.local_port == tuple.remote_port && tuple.local == tuple.remote;
                if !itself && self.find(&tuple).is_none() {
                    break;
                }
            }
        } else if self.find(&tuple).is_some() {
            return Err(ConnectError::AddressInUse);
        }
        let index = self.take_slot().ok_or(ConnectError::OutOfConnections)?;
        let first = self.first(now);
        let config = &self.resources.config;
        let slot = &mut self.connections[index as usize];
        slot.begin(now, &tuple, (first.number, SequenceNumber(0)), &options, (config, &self.beginning));
        slot.iss = first.number;
        slot.stamps.offset = first.stamp_offset;
        slot.state = State::SynSent;
        slot.todo = todo::OUTPUT;
        let generation = slot.generation;
        self.link_latest(Found::Connection(index));
        // The next segment is likely the answer.
        self.last = index;
        self.settle(index);
        Ok(ConnectionId { index, generation })
    }

    /// Whether the handshake is over.
    ///
    /// # Errors
    /// Why it failed: [`Error::ConnectionRefused`], [`Error::TimedOut`], [`Error::HostUnreachable`]; or
    /// [`Error::Closed`] when there is no such connection.
    pub fn poll_connected(&mut self, id: ConnectionId, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.slot(id).is_none() {
            return Poll::Ready(Err(Error::Closed));
        }
        let slot = &mut self.connections[id.index as usize];
        match (slot.state, slot.error) {
            (_, Some(error)) => Poll::Ready(Err(error)),
            (State::SynSent | State::SynReceived, None) => {
                self.resources.wakers.register(&mut slot.writers, cx.waker());
                Poll::Pending
            }
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// Whether a connection can lead to this address.
pub(crate) fn may_be_peer(address: IpAddr) -> bool {
    let everybody = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !everybody
}

/// RFC 9293 §3.1.
pub(crate) const MOST_OPTIONS: u16 = 40;
