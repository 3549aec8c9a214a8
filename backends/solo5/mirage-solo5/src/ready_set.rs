//! Which devices have something to say.

use crate::Handle;

/// A set of devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadySet(u64);

impl ReadySet {
    /// No device.
    pub const EMPTY: Self = Self(0);

    /// The devices whose bits are set, the one in place 0 of the manifest lowest.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// A bit for each device.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `handle` is among them.
    pub const fn contains(self, handle: Handle) -> bool {
        self.0 >> handle.index() & 1 == 1
    }

    /// Adds `handle`.
    pub const fn insert(&mut self, handle: Handle) {
        self.0 |= 1 << handle.index();
    }
}

impl Iterator for ReadySet {
    type Item = Handle;

    /// Takes the lowest out.
    fn next(&mut self) -> Option<Handle> {
        let handle = Handle::new(self.0.trailing_zeros() as usize)?;
        self.0 &= self.0 - 1;
        Some(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_lists_its_devices_from_the_lowest_to_the_highest() {
        let mut set = ReadySet::EMPTY;
        for index in [63, 1, 7] {
            set.insert(Handle::new(index).expect("below 64"));
        }
        assert!(set.contains(Handle::new(7).expect("below 64")) && !set.contains(Handle::new(8).expect("below 64")));
        assert!(set.map(Handle::index).eq([1, 7, 63]));
        assert_eq!(Handle::new(64), None);
    }
}
