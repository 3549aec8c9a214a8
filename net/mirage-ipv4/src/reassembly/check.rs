//! What is always true of the books.

use super::Reassembly;
use super::block::Link;

impl Reassembly<'_> {
    /// Walks through all books of a debug build after each change; nothing in a release.
    pub(super) fn check(&self) {
        if !cfg!(debug_assertions) {
            return;
        }
        let (mut blocks, mut datagrams, mut fragments) = (0, 0, 0);
        let mut walk = self.ends.oldest;
        while let Some(link) = walk {
            let datagram = self.arena.datagram(link);
            blocks += 1 + datagram.pieces.iter().flatten().count();
            fragments += u32::from(datagram.fragments);
            datagrams += 1;
            debug_assert_eq!(self.find(datagram.hash, &datagram.key), Some(link), "each is found by its key");
            debug_assert!(!datagram.dropped || datagram.fragments == 0, "a dropped one holds nothing");
            walk = datagram.of_all.younger;
        }
        debug_assert_eq!(datagrams, usize::from(self.datagrams));
        debug_assert!(datagrams <= usize::from(self.limits.datagrams));
        debug_assert_eq!(
            blocks + self.ranking.len(),
            self.arena.in_use(),
            "a block is a piece, a datagram or a source"
        );
        for (place, source) in self.sources() {
            let above = place.checked_sub(1).and_then(|below| self.arena.ranked(below / 2));
            let share = |link| self.arena.source(link).share;
            debug_assert!(above.is_none_or(|above| share(above) >= share(source)), "who holds more is nearer the top");
            let source = self.arena.source(source);
            debug_assert_eq!(source.place, place);
            blocks -= usize::from(source.blocks);
            datagrams -= usize::from(source.datagrams);
            fragments -= source.fragments;
        }
        debug_assert_eq!(
            (blocks, datagrams, fragments),
            (0, 0, 0),
            "what datagrams hold is on their sources' accounts"
        );
    }

    fn sources(&self) -> impl Iterator<Item = (usize, Link)> {
        (0..self.ranking.len()).filter_map(|place| Some((place, self.arena.ranked(place)?)))
    }
}
