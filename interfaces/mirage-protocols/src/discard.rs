//! Counting what strangers sent us in vain.

/// Why a machine dropped something: an `enum` without fields, one for each protocol.
///
/// Nonsense from the network is never an error an application sees: it is counted under its reason and forgotten.
pub trait Reason: Copy + Eq + 'static {
    /// Every reason, each at its [`index`](Self::index).
    const ALL: &'static [Self];

    /// The names of all reasons in the same order with spaces between: short, in `snake_case`.
    const NAMES: &'static str;

    /// The reason's place in [`ALL`](Self::ALL).
    fn index(self) -> usize;

    /// Short name in `snake_case`, for statistics.
    fn name(self) -> &'static str {
        Self::NAMES.split_ascii_whitespace().nth(self.index()).unwrap_or_default()
    }
}

/// One counter for each reason of a protocol.
#[derive(Clone, Debug)]
pub struct Counts<R, const N: usize> {
    counts: [u64; N],
    reasons: core::marker::PhantomData<R>,
}

impl<R: Reason, const N: usize> Default for Counts<R, N> {
    fn default() -> Self {
        const { assert!(R::ALL.len() == N, "one counter for each reason") };
        Self { counts: [0; N], reasons: core::marker::PhantomData }
    }
}

impl<R: Reason, const N: usize> Counts<R, N> {
    /// Counts one more of `reason`.
    pub fn count(&mut self, reason: R) {
        if let Some(count) = self.counts.get_mut(reason.index()) {
            *count += 1;
        }
    }

    /// How many of `reason` so far.
    pub fn of(&self, reason: R) -> u64 {
        self.counts.get(reason.index()).copied().unwrap_or(0)
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Shows each reason's name with its count.
    pub fn visit(&self, mut show: impl FnMut(&'static str, u64)) {
        show_counts(R::NAMES, &self.counts, &mut show);
    }

    /// Each reason with its count.
    pub fn iter(&self) -> impl Iterator<Item = (R, u64)> + '_ {
        R::ALL.iter().copied().zip(self.counts.iter().copied())
    }
}

/// Shows each of `names`, which have spaces between, with its count. A table of them costs more than to take them apart.
#[inline(never)]
pub fn show_counts(names: &'static str, counts: &[u64], show: &mut dyn FnMut(&'static str, u64)) {
    names.split_ascii_whitespace().zip(counts).for_each(|(name, count)| show(name, *count));
}

/// Defines an `enum` of reasons to discard a packet and implements [`Reason`](crate::Reason) for it:
///
/// ```
/// mirage_protocols::reasons! {
///     /// Why a frame was dropped.
///     pub enum Discard {
///         /// Shorter than its header.
///         TooShort = "too_short",
///         /// For somebody else.
///         NotForUs = "not_for_us",
///     }
/// }
/// use mirage_protocols::Reason;
/// assert_eq!(Discard::ALL.len(), 2);
/// assert_eq!(Discard::NotForUs.name(), "not_for_us");
/// ```
#[macro_export]
macro_rules! reasons {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$item_doc:meta])* $item:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name { $($(#[$item_doc])* $item),+ }

        impl $crate::Reason for $name {
            const ALL: &'static [Self] = &[$(Self::$item),+];
            const NAMES: &'static str = concat!($($text, " "),+);
            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

#[cfg(test)]
#[allow(unreachable_pub, reason = "the macro makes public reasons")]
mod tests {
    extern crate alloc;

    use alloc::vec::Vec;

    use super::*;

    crate::reasons! {
        /// Two reasons.
        pub enum Why {
            /// One.
            Short = "short",
            /// The other.
            Long = "long",
        }
    }

    #[test]
    fn each_reason_has_its_own_counter() {
        let mut counts = Counts::<Why, 2>::default();
        counts.count(Why::Long);
        counts.count(Why::Long);
        counts.count(Why::Short);
        assert_eq!((counts.of(Why::Short), counts.of(Why::Long), counts.total()), (1, 2, 3));
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(Why::Short, 1), (Why::Long, 2)]);
        let mut seen = Vec::new();
        counts.visit(|name, count| seen.push((name, count)));
        assert_eq!(seen, [("short", 1), ("long", 2)]);
    }

    #[test]
    fn every_reason_is_at_its_index() {
        for (index, reason) in Why::ALL.iter().enumerate() {
            assert_eq!(reason.index(), index);
        }
        assert_eq!(Why::ALL.iter().map(|reason| reason.name()).collect::<Vec<_>>(), ["short", "long"]);
    }
}
