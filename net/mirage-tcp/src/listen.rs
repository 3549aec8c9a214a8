//! Where listeners wait.

use core::net::IpAddr;
use core::num::NonZeroU16;

/// What a listener listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// One of our addresses, or `None` for all of them.
    pub address: Option<IpAddr>,
    /// A port, or `None` for every port on which nobody else listens: what a gateway does.
    pub port: Option<NonZeroU16>,
}

/// Room for one listener.
#[derive(Debug, Default)]
pub struct ListenerSlot {}
