//! IGMP messages as they lie on the wire.

use core::net::Ipv4Addr;

use mirage_clock::Duration;

use super::Discard;
use super::group::Saying;

/// All routers that speak version 3 (RFC 3376 §4.2.14).
pub(crate) const ROUTERS_V3: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);
/// All routers, who want to hear of leaves in version 2 (RFC 2236 §9).
pub(crate) const ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 2);
/// All hosts: everybody is in it and nobody says so (RFC 3376 §6).
pub(crate) const EVERYBODY: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

const QUERY: u8 = 0x11;
const REPORT_V1: u8 = 0x12;
const REPORT_V2: u8 = 0x16;
const LEAVE_V2: u8 = 0x17;
const REPORT_V3: u8 = 0x22;

/// A message, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// A router asks.
    Query {
        /// `None` for every group.
        group: Option<Ipv4Addr>,
        /// Longest time to wait with the answer.
        within: Duration,
        /// The router speaks version 2 or 1.
        old: bool,
    },
    /// Another host said, in version 1 or 2, that it is in a group.
    Report(Ipv4Addr),
    /// Something for routers.
    Other,
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Message, Discard> {
    let Some((&[kind, code, _, _, a, b, c, d], behind)) = bytes.split_first_chunk::<8>() else {
        return Err(Discard::TooShort);
    };
    if !mirage_checksum::verify(bytes) {
        return Err(Discard::BadChecksum);
    }
    let group = Ipv4Addr::new(a, b, c, d);
    match kind {
        QUERY => {
            // RFC 3376 §7.1 tells the versions apart.
            let (old, tenths) = match (behind.len(), code) {
                (0, 0) => (true, 100),
                (0, code) => (true, code.into()),
                (1..=3, _) => return Err(Discard::BadQuery),
                (_, code) => (false, floating(code)),
            };
            if !(group.is_unspecified() || group.is_multicast()) {
                return Err(Discard::BadQuery);
            }
            let group = (!group.is_unspecified()).then_some(group);
            Ok(Message::Query { group, within: Duration::from_millis(100 * tenths), old })
        }
        REPORT_V1 | REPORT_V2 => Ok(Message::Report(group)),
        LEAVE_V2 | REPORT_V3 => Ok(Message::Other),
        _ => Err(Discard::UnknownType),
    }
}

/// A number of tenths of a second with a small exponent (RFC 3376 §4.1.1).
fn floating(code: u8) -> u64 {
    let (exponent, mantissa) = (code >> 4 & 7, u64::from(code & 15));
    if code < 128 { code.into() } else { (mantissa | 16) << (exponent + 3) }
}

/// What to say about a group in version 2, and to whom.
pub(crate) fn version2(group: Ipv4Addr, saying: Saying) -> (Ipv4Addr, [u8; 8]) {
    let (to, kind) = match saying {
        Saying::Left => (ROUTERS, LEAVE_V2),
        _ => (group, REPORT_V2),
    };
    let [a, b, c, d] = group.octets();
    (to, summed([kind, 0, 0, 0, a, b, c, d]))
}

/// What to say about a group in version 3: one record without sources.
pub(crate) fn version3(group: Ipv4Addr, saying: Saying) -> (Ipv4Addr, [u8; 16]) {
    // RFC 3376 §4.2.12: "excluding nobody" is the whole group, "including nobody" is none of it.
    let record = match saying {
        Saying::Present => 2,
        Saying::Left => 3,
        Saying::Joined | Saying::Nothing => 4,
    };
    let [a, b, c, d] = group.octets();
    (ROUTERS_V3, summed([REPORT_V3, 0, 0, 0, 0, 0, 0, 1, record, 0, 0, 0, a, b, c, d]))
}

fn summed<const N: usize>(mut message: [u8; N]) -> [u8; N] {
    let [high, low] = mirage_checksum::checksum(&message).to_be_bytes();
    if let [_, _, first, second, ..] = &mut message[..] {
        (*first, *second) = (high, low);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_times_have_an_exponent() {
        assert_eq!(floating(100), 100);
        assert_eq!(floating(127), 127);
        assert_eq!(floating(128), 128);
        assert_eq!(floating(0xff), 31 << 10);
    }
}
