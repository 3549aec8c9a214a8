//! Congestion marks in IP headers.

/// The two bits of an IP header in which routers tell of congestion before they have to drop (RFC 3168 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Ecn {
    /// The transport does not understand marks: a router drops instead.
    #[default]
    NotCapable = 0,
    /// The transport understands marks: ECT(1), which RFC 9331 keeps for experiments.
    Capable1 = 1,
    /// The transport understands marks: ECT(0).
    Capable0 = 2,
    /// A router marked the packet: congestion experienced.
    Congested = 3,
}

impl Ecn {
    /// What the traffic class (IPv4: type of service) of a header says.
    #[inline]
    pub const fn of(traffic_class: u8) -> Self {
        match traffic_class & 3 {
            0 => Self::NotCapable,
            1 => Self::Capable1,
            2 => Self::Capable0,
            _ => Self::Congested,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_two_bits_of_the_traffic_class_count() {
        for ecn in [Ecn::NotCapable, Ecn::Capable1, Ecn::Capable0, Ecn::Congested] {
            assert_eq!(Ecn::of(ecn as u8), ecn);
            assert_eq!(Ecn::of(ecn as u8 | 0xb8), ecn);
        }
    }
}
