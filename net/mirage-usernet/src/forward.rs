//! A port of the host that leads to the guest.

use core::net::SocketAddr;

/// Which transport a forward is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A port of the host that leads to the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// TCP or UDP.
    pub transport: Transport,
    /// Where the gateway listens on the host; port 0 for a free one, which [`Gateway::forwards`] tells.
    ///
    /// [`Gateway::forwards`]: crate::Gateway::forwards
    pub host: SocketAddr,
    /// The guest's port that it leads to.
    pub guest: u16,
}
