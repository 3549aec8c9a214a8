//! What a file descriptor stands for.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddrV4;

use libc::c_int;
use mirage_clock::Duration;
use mirage_stack::{Keepalive, TcpOptions};
use mirage_tcp::{ConnectionId, ListenerId};

use crate::calls::epoll::Interest;

/// What a file descriptor stands for.
pub(crate) enum Descriptor {
    Socket(Box<Socket>),
    /// An epoll instance: what it watches.
    Epoll(BTreeMap<c_int, Interest>),
}

/// A socket.
#[derive(Default)]
pub(crate) struct Socket {
    pub(crate) role: Role,
    pub(crate) nonblocking: bool,
    /// The connection's error was told once; afterwards reads give the end and writes `EPIPE`.
    pub(crate) told: bool,
    /// How many bytes were read.
    pub(crate) taken: u64,
    /// The application ended its direction.
    pub(crate) write_shut: bool,
    /// The application waits for nothing more. As with Linux, what comes all the same can be read.
    pub(crate) read_shut: bool,
    pub(crate) options: Options,
}

/// What a socket is.
#[derive(Default)]
pub(crate) enum Role {
    /// Nothing yet.
    #[default]
    Fresh,
    /// It has an address.
    Bound(SocketAddrV4),
    /// It connects to this with the first write, which goes with the SYN.
    Deferred(SocketAddrV4),
    /// It listens. Connections that were found to wait wait here until they are asked for.
    Listener { id: ListenerId, waiting: VecDeque<ConnectionId> },
    /// It is a connection, or tries to become one.
    Stream { id: ConnectionId, opened: bool },
}

/// What was set.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) nodelay: bool,
    pub(crate) cork: bool,
    pub(crate) keepalive: bool,
    pub(crate) keepalive_times: Keepalive,
    pub(crate) user_timeout: Option<Duration>,
    /// How long `close` waits; `Some(0)` resets the peer.
    pub(crate) linger: Option<u32>,
    /// How many bytes may be written and not acknowledged; `None` for the machine's limit.
    pub(crate) send_buffer: Option<u32>,
    pub(crate) receive_buffer: Option<u32>,
    /// How many bytes may wait unsent; 0 for what the namespace says.
    pub(crate) unsent_limit: u32,
    pub(crate) max_segment: Option<u16>,
    /// How many connections with data in their SYN may wait for their handshake's end; `None`: nobody asked for such.
    pub(crate) fast_open: Option<u16>,
    pub(crate) fast_open_key: Option<[u8; 16]>,
    /// `connect` waits for something to send with the SYN.
    pub(crate) fast_open_connect: bool,
    pub(crate) receive_timeout: Duration,
    pub(crate) send_timeout: Duration,
    /// Values of options that change nothing here, by level and name.
    pub(crate) others: BTreeMap<(c_int, c_int), c_int>,
}

impl Default for Options {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            nodelay: false,
            cork: false,
            keepalive: false,
            // Linux's.
            keepalive_times: Keepalive {
                after: second.saturating_mul(7200),
                interval: second.saturating_mul(75),
                probes: 9,
            },
            user_timeout: None,
            linger: None,
            send_buffer: None,
            receive_buffer: None,
            unsent_limit: 0,
            max_segment: None,
            fast_open: None,
            fast_open_key: None,
            fast_open_connect: false,
            receive_timeout: Duration::MAX,
            send_timeout: Duration::MAX,
            others: BTreeMap::new(),
        }
    }
}

impl Options {
    /// For the machine.
    pub(crate) fn tcp(&self) -> TcpOptions {
        TcpOptions {
            keepalive: self.keepalive.then_some(self.keepalive_times),
            nodelay: self.nodelay,
            user_timeout: self.user_timeout,
        }
    }
}

impl Socket {
    /// The connection, if it is or was one.
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        match self.role {
            Role::Stream { id, .. } => Some(id),
            _ => None,
        }
    }

    /// How long a read waits.
    pub(crate) fn read_wait(&self, flags: c_int) -> Option<Duration> {
        (!self.nonblocking && flags & libc::MSG_DONTWAIT == 0).then_some(self.options.receive_timeout)
    }

    /// How long a write waits.
    pub(crate) fn write_wait(&self, flags: c_int) -> Option<Duration> {
        (!self.nonblocking && flags & libc::MSG_DONTWAIT == 0).then_some(self.options.send_timeout)
    }
}
