//! Which memory is free.

use core::ops::Range;

/// The largest piece of `usable` memory at or above `after` and below 4 GiB, where memory is mapped; empty if there is none.
///
/// Pieces that touch or overlap are not joined: loaders give them whole.
pub(super) fn largest_free(usable: impl Iterator<Item = Range<u64>>, after: u64) -> Range<usize> {
    let free = usable.map(|piece| {
        let start = piece.start.max(after).min(MAPPED).next_multiple_of(ALIGNMENT);
        let end = piece.end.min(MAPPED) & !(ALIGNMENT - 1);
        start..end.max(start)
    });
    let largest = free.max_by_key(|piece| piece.end - piece.start).unwrap_or(after..after);
    // Below 4 GiB by the above, which every 64-bit address can be.
    largest.start as usize..largest.end as usize
}

/// Memory from here on is not mapped.
const MAPPED: u64 = 1 << 32;
const ALIGNMENT: u64 = 16;

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "the range is meant")]
mod tests {
    use super::*;

    const IMAGE_END: u64 = 0x14_0000;

    fn free(usable: &[Range<u64>]) -> Range<usize> {
        largest_free(usable.iter().cloned(), IMAGE_END)
    }

    #[test]
    fn the_image_is_cut_away() {
        assert_eq!(free(&[0..0x9_f000, 0x10_0000..0x800_0000]), 0x14_0000..0x800_0000);
    }

    #[test]
    fn the_largest_piece_wins_and_memory_below_the_image_does_not_count() {
        let pieces = [0..0x10_0000, 0x10_0000..0x20_0000, 0x100_0000..0x300_0000, 0x400_0000..0x500_0000];
        assert_eq!(free(&pieces), 0x100_0000..0x300_0000);
    }

    #[test]
    fn memory_above_4_gib_is_out_of_reach() {
        assert_eq!(free(&[0x10_0000..0xc000_0000, 0x1_0000_0000..0x9_0000_0000]), 0x14_0000..0xc000_0000);
        assert_eq!(free(&[0x10_0000..0x9_0000_0000]), 0x14_0000..0x1_0000_0000);
    }

    #[test]

    fn the_ends_are_aligned_and_nonsense_is_empty() {
        assert_eq!(free(&[0x20_0001..0x30_000f]), 0x20_0010..0x30_0000);
        assert!(free(&[]).is_empty());
        assert!(free(&[0x20_0000..0x20_0000, 0..u64::MIN]).is_empty());
        #[allow(clippy::reversed_empty_ranges, reason = "what a loader might say")]
        let reversed = 0x30_0000..0x20_0000;
        assert!(free(&[reversed]).is_empty());
        assert!(free(&[u64::MAX - 3..u64::MAX]).is_empty());
    }
}
