//! Hardware addresses.

use core::fmt;
use core::str::FromStr;

/// A 48-bit IEEE 802 hardware address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// `ff:ff:ff:ff:ff:ff`, every station on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// `00:00:00:00:00:00`, no station.
    pub const UNSPECIFIED: Self = Self([0; 6]);

    /// The six bytes in the order they go on the wire.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Whether every station is meant.
    pub const fn is_broadcast(self) -> bool {
        matches!(self.0, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    }

    /// Whether a group of stations is meant (the I/G bit); broadcast is one.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether exactly one station is meant.
    pub const fn is_unicast(self) -> bool {
        !self.is_multicast() && !matches!(self.0, [0, 0, 0, 0, 0, 0])
    }

    /// A locally administered unicast address made of 40 of these bits; for devices that have none.
    pub const fn local(bits: [u8; 6]) -> Self {
        Self([(bits[0] & 0xfe) | 2, bits[1], bits[2], bits[3], bits[4], bits[5]])
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The text is not six pairs of hexadecimal digits with colons between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseMacError;

impl fmt::Display for ParseMacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected six pairs of hexadecimal digits like 02:00:00:00:00:01")
    }
}

impl core::error::Error for ParseMacError {}

impl FromStr for MacAddress {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().ok_or(ParseMacError)?;
            if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(ParseMacError);
            }
            *octet = u8::from_str_radix(part, 16).map_err(|_| ParseMacError)?;
        }
        if parts.next().is_some() { Err(ParseMacError) } else { Ok(Self(octets)) }
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_address_survives_its_text() {
        let address = MacAddress([0x02, 0, 0x5e, 0xff, 0x10, 0x0a]);
        assert_eq!(address.to_string(), "02:00:5e:ff:10:0a");
        assert_eq!(address.to_string().parse(), Ok(address));
        assert_eq!("02:00:5E:FF:10:0A".parse(), Ok(address));
    }

    #[test]
    fn other_texts_are_no_address() {
        for text in ["", "02", "02:00:5e:ff:10", "02:00:5e:ff:10:0a:00", "2:0:5e:ff:10:0a", "02:00:5e:ff:10:+a"] {
            assert_eq!(text.parse::<MacAddress>(), Err(ParseMacError), "{text}");
        }
    }

    #[test]
    fn whom_an_address_means() {
        assert!(MacAddress::BROADCAST.is_broadcast() && MacAddress::BROADCAST.is_multicast());
        assert!(MacAddress([1, 0, 0x5e, 0, 0, 1]).is_multicast());
        assert!(!MacAddress([1, 0, 0x5e, 0, 0, 1]).is_broadcast());
        assert!(MacAddress([2, 0, 0, 0, 0, 1]).is_unicast());
        assert!(!MacAddress::UNSPECIFIED.is_unicast() && !MacAddress::UNSPECIFIED.is_multicast());
    }

    #[test]
    fn a_made_up_address_is_unicast_and_local_whatever_the_bits() {
        for bits in [[0; 6], [0xff; 6]] {
            let address = MacAddress::local(bits);
            assert!(address.is_unicast());
            assert_eq!(address.octets()[0] & 2, 2);
        }
    }
}
