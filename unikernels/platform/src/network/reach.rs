//! Where somebody outside finds a service.

use core::net::{IpAddr, SocketAddr};

use super::{Forwards, Service};

/// Where somebody outside finds a service.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Where the host forwards it from.
    Forwarded(Forwards),
    /// At the image's own address.
    Address(IpAddr),
}

impl Reach {
    /// Where somebody outside finds `service`; `None` when nothing leads there.
    pub fn outside(&self, service: Service) -> Option<SocketAddr> {
        match self {
            Self::Forwarded(forwards) => forwards.host(service),
            Self::Address(address) => Some(SocketAddr::new(*address, service.port)),
        }
    }
}

impl Default for Reach {
    /// Nothing is reached.
    fn default() -> Self {
        Self::Forwarded(Forwards::default())
    }
}
