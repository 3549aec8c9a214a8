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
        // In 64 bits, so that no prefix shifts all of them out.
        Ipv4Addr::from_bits((u64::MAX << (32 - self.prefix)) as u32)
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
        let mut rest = text.as_bytes();
        let address = take_address(&mut rest).ok_or(CidrError)?;
        rest = rest.strip_prefix(b"/").ok_or(CidrError)?;
        let prefix = take_number(&mut rest).ok_or(CidrError)?;
        if rest.is_empty() { Self::new(address, prefix) } else { Err(CidrError) }
    }
}

/// Reads an address, `10.0.0.2`, as its own `FromStr` does, in a fifth of the code.
pub fn parse_ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut rest = text.as_bytes();
    take_address(&mut rest).filter(|_| rest.is_empty())
}

/// Takes an address off the front of `text`.
#[inline(never)]
fn take_address(text: &mut &[u8]) -> Option<Ipv4Addr> {
    let mut bits = u32::from(take_number(text)?);
    for _ in 1..4 {
        *text = text.strip_prefix(b".")?;
        bits = bits << 8 | u32::from(take_number(text)?);
    }
    Some(Ipv4Addr::from_bits(bits))
}

/// Takes a number up to 255 off the front of `text`. With a zero before it others would take it for octal.
#[inline(never)]
fn take_number(text: &mut &[u8]) -> Option<u8> {
    let mut number = None;
    while let Some((digit @ b'0'..=b'9', rest)) = text.split_first() {
        number = Some(match number {
            None => digit - b'0',
            Some(0) => return None,
            Some(number) => u8::checked_mul(number, 10)?.checked_add(digit - b'0')?,
        });
        *text = rest;
    }
    number
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::string::ToString;

    use super::*;

    fn cidr(text: &str) -> Ipv4Cidr {
        text.parse().expect("a network")
    }

    #[test]
    fn a_network_survives_its_text() {
        for text in ["0.0.0.0/0", "10.0.0.2/24", "192.168.1.1/31", "255.255.255.255/32"] {
            assert_eq!(cidr(text).to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_no_network() {
        for text in ["", "/", "10.0.0.2", "10.0.0.2/", "10.0.0.2/33", "10.0.0.2/+8", "10.0.0/8", "10.0.0.2/8/8", "::/0"]
            .into_iter()
            .chain(["10.0.0.2/08", "10.0.0.256/8", "10.0.0.999/8", "10..0.2/8", "10.0.0.2./8", "10.0.0.2/8 "])
        {
            assert_eq!(text.parse::<Ipv4Cidr>(), Err(CidrError), "{text}");
        }
    }

    #[test]
    fn an_address_is_read_as_the_library_reads_it() {
        let digits = ["", "0", "00", "01", "1", "10", "255", "256", "1000", "a", "+1", " 1"];
        for first in digits {
            for last in digits {
                for text in [
                    alloc::format!("{first}.2.3.{last}"),
                    alloc::format!("1.{first}.{last}.4"),
                    alloc::format!("1.2{first}3.{last}"),
                    alloc::format!("1.2.3.4{first}{last}"),
                ] {
                    assert_eq!(parse_ipv4(&text), text.parse().ok(), "{text}");
                }
            }
        }
    }

    #[test]
    fn the_host_part_is_kept_and_the_network_found() {
        let home = cidr("10.1.2.3/20");
        assert_eq!(home.address(), Ipv4Addr::new(10, 1, 2, 3));
        assert_eq!(home.network(), Ipv4Addr::new(10, 1, 0, 0));
        assert_eq!(home.mask(), Ipv4Addr::new(255, 255, 240, 0));
        assert_eq!(home.broadcast(), Some(Ipv4Addr::new(10, 1, 15, 255)));
    }

    #[test]
    fn what_a_network_contains() {
        let home = cidr("10.1.2.3/20");
        assert!(home.contains(Ipv4Addr::new(10, 1, 15, 255)));
        assert!(!home.contains(Ipv4Addr::new(10, 1, 16, 0)));
        assert!(Ipv4Cidr::ANY.contains(Ipv4Addr::BROADCAST));
        assert!(cidr("10.1.2.3/32").contains(Ipv4Addr::new(10, 1, 2, 3)));
        assert!(!cidr("10.1.2.3/32").contains(Ipv4Addr::new(10, 1, 2, 2)));
    }

    #[test]
    fn links_of_two_have_no_broadcast() {
        assert_eq!(cidr("10.0.0.2/31").broadcast(), None);
        assert_eq!(cidr("10.0.0.2/32").broadcast(), None);
        assert_eq!(cidr("10.0.0.2/30").broadcast(), Some(Ipv4Addr::new(10, 0, 0, 3)));
    }
}
