//! The sending half.

use core::fmt;
use core::net::Ipv4Addr;

use mirage_protocols::Neighbours;

use crate::Ipv4Over;
use crate::ipv4::{Known, Sender};

/// The sending half of [`Ipv4`](crate::Ipv4), from [`Ipv4::split`](crate::Ipv4::split).
pub struct Outbound<'a, 's> {
    pub(crate) known: &'a Known<'s>,
    pub(crate) sender: &'a mut Sender<'s>,
}

impl<'s> Outbound<'_, 's> {
    /// As [`Ipv4::over`](crate::Ipv4::over).
    #[inline]
    pub fn over<N: Neighbours>(&mut self, neighbours: N) -> Ipv4Over<'_, 's, N> {
        Ipv4Over::new(Outbound { known: self.known, sender: self.sender }, neighbours)
    }

    /// As [`Ipv4::is_local`](crate::Ipv4::is_local).
    #[inline]
    pub fn is_local(&self, address: Ipv4Addr) -> bool {
        self.known.addresses.has(address)
    }

    /// As [`Ipv4::wants_transmit`](crate::Ipv4::wants_transmit).
    #[inline]
    pub fn wants_transmit(&self) -> bool {
        self.sender.fragments.wants_transmit()
    }
}

impl fmt::Debug for Outbound<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("addresses", &self.known.addresses)
            .field("routes", &self.known.routes)
            .finish_non_exhaustive()
    }
}
