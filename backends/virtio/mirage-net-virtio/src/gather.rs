//! How a frame is put together from the buffers that it lies in.

use core::num::NonZeroU16;

use mirage_net::ReceivedChecksum;

/// The frame that is being put together.
///
/// Buffers lie one behind the other and the device takes them in the order in which it got them, so mostly a frame that
/// fills several of them is one piece of memory: a run. Only where the run breaks, at the end of the memory or because
/// the device chose other buffers, must it be copied together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gather {
    /// What the header says.
    pub(crate) checksum: ReceivedChecksum,
    pub(crate) segment_size: Option<NonZeroU16>,
    /// How many buffers are still to come; 0 between frames.
    pub(crate) missing: u16,
    /// The buffers of the run: the first, and how many.
    pub(crate) first: u16,
    pub(crate) count: u16,
    /// Bytes of the run from the start of its first buffer on.
    pub(crate) run: usize,
    /// Bytes of the frame that were copied away from runs that broke.
    pub(crate) copied: usize,
    /// The frame is nonsense and is dropped once it is complete.
    pub(crate) bad: bool,
}

impl Gather {
    /// Whether the run goes on with `next`, for buffers of `buffer` bytes.
    pub(crate) fn goes_on(&self, next: u16, buffer: usize) -> bool {
        // Only where the device filled all of it does the next byte lie behind the last one.
        self.count > 0
            && self.run == usize::from(self.count) * buffer
            && self.first.checked_add(self.count) == Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_only_with_the_next_buffer_behind_a_full_one() {
        let gather = Gather { first: 3, count: 2, run: 200, ..Gather::default() };
        assert!(gather.goes_on(5, 100));
        assert!(!gather.goes_on(4, 100) && !gather.goes_on(0, 100));
        assert!(!Gather { run: 199, ..gather }.goes_on(5, 100));
        assert!(!Gather { count: 0, run: 0, ..gather }.goes_on(3, 100));
    }
}
