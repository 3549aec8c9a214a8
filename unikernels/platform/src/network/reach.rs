//! Where somebody outside finds a service.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

#[cfg(any(feature = "unix", not(feature = "image")))]
use super::Forwards;
use super::Service;

/// Where somebody outside finds a service.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Where the host forwards it from: images have no host.
    #[cfg(any(feature = "unix", not(feature = "image")))]
    Forwarded(Forwards),
    /// At the image's own address.
    Address(Ipv4Addr),
}

impl Reach {
    /// Where somebody outside finds `service`; `None` when nothing leads there.
    #[inline]
    pub fn outside(&self, service: Service) -> Option<SocketAddr> {
        match self {
            #[cfg(any(feature = "unix", not(feature = "image")))]
            Self::Forwarded(forwards) => forwards.host(service),
            Self::Address(address) => Some(SocketAddrV4::new(*address, service.port).into()),
        }
    }
}
