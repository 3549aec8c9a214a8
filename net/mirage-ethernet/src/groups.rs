//! The groups we are in.

use core::fmt;
use core::net::Ipv4Addr;

use managed::ManagedSlice;
use mirage_net::MacAddress;

/// Room for one group: the storage of [`Ethernet`](crate::Ethernet) is a slice of `Option<Group>`.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    address: MacAddress,
    /// How often it was joined and not left. Invariant: not 0.
    members: u32,
}

/// Every slot for groups is taken: leave one first, or lend more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupsFull;

impl fmt::Display for GroupsFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no room for another multicast group")
    }
}

impl core::error::Error for GroupsFull {}

/// The hardware address of an IPv4 multicast group: 01:00:5e and the low 23 bits of the group (RFC 1112 §6.4).
///
/// 32 groups share one, so the IP layer looks again.
#[inline]
pub const fn multicast_mac(group: Ipv4Addr) -> MacAddress {
    let [_, b, c, d] = group.octets();
    MacAddress([0x01, 0x00, 0x5e, b & 0x7f, c, d])
}

/// A set of groups with reference counts. There are few and only multicast frames ask, so the set is a plain list.
#[derive(Debug)]
pub(crate) struct Groups<'s>(pub(crate) ManagedSlice<'s, Option<Group>>);

impl Groups<'_> {
    pub(crate) fn contains(&self, address: MacAddress) -> bool {
        self.0.iter().flatten().any(|group| group.address == address)
    }

    pub(crate) fn join(&mut self, address: MacAddress) -> Result<(), GroupsFull> {
        if let Some(group) = self.0.iter_mut().flatten().find(|group| group.address == address) {
            group.members = group.members.saturating_add(1);
            return Ok(());
        }
        let free = self.0.iter_mut().find(|slot| slot.is_none()).ok_or(GroupsFull)?;
        *free = Some(Group { address, members: 1 });
        Ok(())
    }

    pub(crate) fn leave(&mut self, address: MacAddress) {
        let Some(slot) = self.0.iter_mut().find(|slot| slot.is_some_and(|group| group.address == address)) else {
            return;
        };
        match slot {
            Some(group) if group.members > 1 => group.members -= 1,
            _ => *slot = None,
        }
    }
}
