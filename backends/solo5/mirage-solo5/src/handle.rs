//! Which device is meant.

/// A device of the machine: its place in the manifest, 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(u8);

impl Handle {
    /// The device in place `index` of the manifest; `None` from 64 on.
    pub const fn new(index: usize) -> Option<Self> {
        if index < Self::MOST { Some(Self(index as u8)) } else { None }
    }

    /// The place in the manifest.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Places of a manifest.
    pub(crate) const MOST: usize = 64;
}
