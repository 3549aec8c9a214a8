//! An IPv4 address with the length of its prefix.

use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;

/// An IPv4 address with the length of its network's prefix, `10.0.0.2/24`. The host part is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ipv4Cidr {
    address: Ipv4Addr,
    /// Invariant: at most 32.
    prefix: u8,
}

/// The text is not an IPv4 address, a slash and a number up to 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CidrError;

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an address with its prefix length, like 10.0.0.2/24")
    }
}

impl core::error::Error for CidrError {}

impl Ipv4Cidr {
    /// Everything: the default route.
    pub const ANY: Self = Self { address: Ipv4Addr::UNSPECIFIED, prefix: 0 };

    /// `address` in a network of `prefix` leading bits.
    ///
    /// # Errors
    /// [`CidrError`] when `prefix` is over 32.
    pub const fn new(address: Ipv4Addr, prefix: u8) -> Result<Self, CidrError> {
        if prefix > 32 { Err(CidrError) } else { Ok(Self { address, prefix }) }
    }

    /// The address with its host part.
    pub const fn address(self) -> Ipv4Addr {
        self.address
    }

    /// Length of the prefix in bits, at most 32.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// The prefix as a mask of ones.
    pub const fn mask(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(match self.prefix {
            0 => 0,
            bits => u32::MAX << (32 - bits),
        })
    }

    /// The network's own address: the host part is zero.
    pub const fn network(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address.to_bits() & self.mask().to_bits())
    }

    /// The network's broadcast address; `None` for prefixes of 31 (RFC 3021) and 32 bits, which have none.
    pub const fn broadcast(self) -> Option<Ipv4Addr> {
        if self.prefix >= 31 {
            None
        } else {
            Some(Ipv4Addr::from_bits(self.address.to_bits() | !self.mask().to_bits()))
        }
    }

    /// Whether `address` is in this network.
    pub const fn contains(self, address: Ipv4Addr) -> bool {
        (self.address.to_bits() ^ address.to_bits()) & self.mask().to_bits() == 0
    }
}

impl fmt::Display for Ipv4Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Ipv4Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = text.split_once('/').ok_or(CidrError)?;
        if !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CidrError);
        }
        Self::new(address.parse().map_err(|_| CidrError)?, prefix.parse().map_err(|_| CidrError)?)
    }
}
