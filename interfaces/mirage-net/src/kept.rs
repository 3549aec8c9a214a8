//! Frames that stay where the device put them, for longer than a call.

use core::fmt;

/// The number of a frame that a device keeps for who took it, until that [releases](crate::Receive::release) it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameId(u8);

impl FrameId {
    /// How many frames a device can keep at most.
    pub const COUNT: usize = 64;

    /// The frame with this number; `None` from [`COUNT`](Self::COUNT) on.
    #[inline]
    pub const fn new(number: u8) -> Option<Self> {
        if (number as usize) < Self::COUNT { Some(Self(number)) } else { None }
    }

    /// The number, below [`COUNT`](Self::COUNT).
    #[inline]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Some of the frames that a device keeps.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameSet(u64);

impl FrameSet {
    /// None of them.
    pub const EMPTY: Self = Self(0);
    /// All there can be.
    pub const ALL: Self = Self(u64::MAX);

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    #[inline]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether `frame` is one of them.
    #[inline]
    pub const fn contains(self, frame: FrameId) -> bool {
        self.0 >> frame.0 & 1 != 0
    }

    /// One more.
    #[inline]
    pub const fn insert(&mut self, frame: FrameId) {
        self.0 |= 1 << frame.0;
    }

    /// One less.
    #[inline]
    pub const fn remove(&mut self, frame: FrameId) {
        self.0 &= !(1 << frame.0);
    }

    /// These and `others`.
    #[inline]
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The first of them.
    #[inline]
    pub const fn first(self) -> Option<FrameId> {
        FrameId::new(self.0.trailing_zeros() as u8)
    }
}

impl FromIterator<FrameId> for FrameSet {
    fn from_iter<I: IntoIterator<Item = FrameId>>(frames: I) -> Self {
        let mut set = Self::EMPTY;
        frames.into_iter().for_each(|frame| set.insert(frame));
        set
    }
}

impl IntoIterator for FrameSet {
    type Item = FrameId;
    type IntoIter = FrameIds;

    #[inline]
    fn into_iter(self) -> FrameIds {
        FrameIds(self)
    }
}

/// The frames of a [`FrameSet`], by their numbers.
#[derive(Clone, Debug)]
pub struct FrameIds(FrameSet);

impl Iterator for FrameIds {
    type Item = FrameId;

    #[inline]
    fn next(&mut self) -> Option<FrameId> {
        let first = self.0.first()?;
        self.0.remove(first);
        Some(first)
    }
}

impl fmt::Debug for FrameSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.into_iter().map(FrameId::number)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_not_taken_out() {
        let mut set: FrameSet = [63, 0, 7, 7].into_iter().filter_map(FrameId::new).collect();
        set.remove(FrameId::new(0).unwrap());
        assert!(set.contains(FrameId::new(63).unwrap()) && !set.contains(FrameId::new(0).unwrap()));
        assert!(set.into_iter().map(FrameId::number).eq([7, 63]));
        assert_eq!(set.len(), 2);
        assert_eq!(FrameSet::EMPTY.with(set), set);
        assert_eq!(FrameSet::ALL.with(set).len(), 64);
        assert_eq!(FrameSet::ALL.into_iter().count(), FrameId::COUNT);
        assert!(FrameSet::EMPTY.is_empty() && FrameSet::EMPTY.first().is_none());
    }

    #[test]
    fn there_are_no_more_than_a_set_holds() {
        assert!(FrameId::new(63).is_some() && FrameId::new(64).is_none());
    }
}
