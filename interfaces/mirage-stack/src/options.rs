//! What can be said about a connection.

use mirage_clock::Duration;

/// When to ask an idle peer whether it is still there (RFC 9293 §3.8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before the first probe.
    pub after: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// Unanswered probes before the connection is given up.
    pub probes: u8,
}

/// What can be said about a connection. The default is what most applications want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Probe an idle peer. Off unless given.
    pub keepalive: Option<Keepalive>,
    /// Send small writes at once instead of collecting them while data is in flight (turns off Nagle's algorithm).
    pub nodelay: bool,
    /// Give the connection up when data stays unacknowledged for so long (RFC 5482); `None` for the stack's default.
    pub user_timeout: Option<Duration>,
}

/// What can be said about a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    /// Established connections that may wait for `accept`; further ones wait with their peers.
    pub backlog: usize,
    /// What every accepted connection starts with.
    pub tcp: TcpOptions,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self { backlog: 128, tcp: TcpOptions { keepalive: None, nodelay: false, user_timeout: None } }
    }
}
