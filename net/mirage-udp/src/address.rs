//! Addresses of one IP version, or of either.

use core::fmt::Debug;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What the machine takes for an address: [`IpAddr`] for both versions, or [`Ipv4Addr`], with which it is smaller and
/// faster and drops the rest.
#[diagnostic::on_unimplemented(message = "`{Self}` is not an IP address", note = "`IpAddr` and `Ipv4Addr` are")]
pub trait Address: Copy + Eq + Debug {
    /// No address: to receive at every address, to send from whichever the route chooses.
    const UNSPECIFIED: Self;

    /// `None` for a version that is not spoken.
    fn from_ip(ip: IpAddr) -> Option<Self>;

    /// The same address.
    fn ip(self) -> IpAddr;
}

impl Address for IpAddr {
    const UNSPECIFIED: Self = Self::V4(Ipv4Addr::UNSPECIFIED);

    #[inline]
    fn from_ip(ip: IpAddr) -> Option<Self> {
        Some(ip)
    }

    #[inline]
    fn ip(self) -> IpAddr {
        self
    }
}

impl Address for Ipv4Addr {
    const UNSPECIFIED: Self = Self::UNSPECIFIED;

    #[inline]
    fn from_ip(ip: IpAddr) -> Option<Self> {
        match ip {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    }

    #[inline]
    fn ip(self) -> IpAddr {
        IpAddr::V4(self)
    }
}

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End<A> {
    pub(crate) address: A,
    pub(crate) port: u16,
}

/// Both ends of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends<A> {
    pub(crate) local: End<A>,
    pub(crate) remote: End<A>,
}

impl<A: Address> End<A> {
    pub(crate) const NOWHERE: Self = Self { address: A::UNSPECIFIED, port: 0 };

    #[inline]
    pub(crate) fn new(ip: IpAddr, port: u16) -> Option<Self> {
        Some(Self { address: A::from_ip(ip)?, port })
    }

    #[inline]
    pub(crate) fn from_socket(end: &SocketAddr) -> Option<Self> {
        match end {
            SocketAddr::V4(end) => Self::new(IpAddr::V4(*end.ip()), end.port()),
            SocketAddr::V6(end) => Self::new(IpAddr::V6(*end.ip()), end.port()),
        }
    }

    #[inline]
    pub(crate) fn socket(self) -> SocketAddr {
        SocketAddr::new(self.address.ip(), self.port)
    }

    #[inline]
    pub(crate) fn is_unspecified(self) -> bool {
        self.address.ip().is_unspecified()
    }
}
