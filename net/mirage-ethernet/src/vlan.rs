//! The number of a virtual LAN.

/// The number of a virtual LAN (IEEE 802.1Q): 1 to 4094.
///
/// 0 means "no VLAN, only a priority" on the wire and 4095 is reserved, so neither can be said here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VlanId(
    /// Invariant: 1 to 4094.
    u16,
);

impl VlanId {
    /// The VLAN `id`, or `None` when it is not 1 to 4094.
    pub const fn new(id: u16) -> Option<Self> {
        match id {
            1..=4094 => Some(Self(id)),
            _ => None,
        }
    }

    /// 1 to 4094.
    #[inline]
    pub const fn number(self) -> u16 {
        self.0
    }
}
