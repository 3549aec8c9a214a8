//! Which source takes most from the others: a binary heap whose places lie in the arena's blocks, so that it can
//! never be too small.

use super::arena::Arena;
use super::block::Link;

#[derive(Debug, Default)]
pub(super) struct Ranking {
    len: usize,
}

impl Ranking {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The source with the largest share.
    pub(super) fn first(&self, arena: &Arena<'_>) -> Option<Link> {
        if self.len == 0 { None } else { arena.ranked(0) }
    }

    pub(super) fn enter(&mut self, arena: &mut Arena<'_>, source: Link) {
        place(arena, self.len, source);
        self.len += 1;
        self.changed(arena, source);
    }

    pub(super) fn leave(&mut self, arena: &mut Arena<'_>, source: Link) {
        let hole = arena.source(source).place;
        self.len -= 1;
        let last = arena.ranked(self.len);
        arena.set_ranked(self.len, None);
        if let Some(last) = last.filter(|last| *last != source) {
            place(arena, hole, last);
            self.changed(arena, last);
        }
    }

    /// Moves a source whose share changed to where it belongs: O(log n).
    pub(super) fn changed(&mut self, arena: &mut Arena<'_>, source: Link) {
        let share = arena.source(source).share;
        let mut at = arena.source(source).place;
        while let Some(above) = at.checked_sub(1).map(|above| above / 2) {
            match arena.ranked(above) {
                Some(other) if arena.source(other).share < share => place(arena, at, other),
                _ => break,
            }
            at = above;
        }
        while let Some((below, other)) = self.larger_below(arena, at) {
            if arena.source(other).share <= share {
                break;
            }
            place(arena, at, other);
            at = below;
        }
        place(arena, at, source);
    }

    /// The larger of the two sources below a place.
    fn larger_below(&self, arena: &Arena<'_>, at: usize) -> Option<(usize, Link)> {
        let at_place =
            |place: usize| if place < self.len { arena.ranked(place).map(|link| (place, link)) } else { None };
        let (left, right) = (at_place(2 * at + 1)?, at_place(2 * at + 2));
        let larger = |right: &(usize, Link)| arena.source(right.1).share > arena.source(left.1).share;
        Some(right.filter(larger).unwrap_or(left))
    }
}

fn place(arena: &mut Arena<'_>, place: usize, source: Link) {
    arena.set_ranked(place, Some(source));
    arena.source_mut(source).place = place;
}
