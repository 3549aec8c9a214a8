//! Where in a piece of memory frames lie that the device has not sent yet.

use alloc::boxed::Box;

use crate::plan::ALIGN;

/// A frame on its way.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    /// The device is done with it, but not with one before it.
    done: bool,
}

/// Where in a piece of memory frames lie that the device has not sent yet: one behind the other, in a circle, each whole.
/// Memory becomes free in the order in which it was taken, whatever the order in which frames are done.
pub(crate) struct Room {
    bytes: usize,
    /// A circle; its length is a power of two.
    places: Box<[Place]>,
    /// Places taken and freed so far; both wrap. Invariant: `taken - freed <= places.len()`.
    taken: u16,
    freed: u16,
    /// Where the youngest frame ends.
    end: usize,
}

impl Room {
    /// Room for `bytes` bytes in at most `frames` frames, rounded up to a power of two.
    pub(crate) fn new(bytes: usize, frames: u16) -> Self {
        let frames = usize::from(frames).next_power_of_two();
        let places = (0..frames).map(|_| Place { start: 0, done: false }).collect();
        Self { bytes, places, taken: 0, freed: 0, end: 0 }
    }

    /// Where a frame of `len` bytes has room.
    pub(crate) fn find(&self, len: usize) -> Option<usize> {
        let held = usize::from(self.taken.wrapping_sub(self.freed));
        if held == 0 {
            return (len <= self.bytes).then_some(0);
        }
        if held == self.places.len() {
            return None;
        }
        let oldest = self.place(self.freed)?.start;
        if self.end <= oldest {
            return (len <= oldest - self.end).then_some(self.end);
        }
        if len <= self.bytes - self.end { Some(self.end) } else { (len <= oldest).then_some(0) }
    }

    /// Takes `len` bytes at `start`, which was found for at least so many; returns the frame's tag.
    pub(crate) fn take(&mut self, start: usize, len: usize) -> u16 {
        let tag = self.taken & self.mask();
        if let Some(place) = self.places.get_mut(usize::from(tag)) {
            *place = Place { start, done: false };
        }
        self.taken = self.taken.wrapping_add(1);
        self.end = (start + len).next_multiple_of(ALIGN).min(self.bytes);
        tag
    }

    /// The device is done with the frame of this tag.
    pub(crate) fn done(&mut self, tag: u16) {
        if let Some(place) = self.places.get_mut(usize::from(tag)) {
            place.done = true;
        }
        while self.freed != self.taken && self.place(self.freed).is_some_and(|place| place.done) {
            self.freed = self.freed.wrapping_add(1);
        }
    }

    fn place(&self, number: u16) -> Option<Place> {
        self.places.get(usize::from(number & self.mask())).copied()
    }

    fn mask(&self) -> u16 {
        (self.places.len() - 1) as u16
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn take(room: &mut Room, len: usize) -> Option<(usize, u16)> {
        let start = room.find(len)?;
        Some((start, room.take(start, len)))
    }

    #[test]
    fn frames_lie_one_behind_the_other_and_each_whole() {
        let mut room = Room::new(1_024, 8);
        assert_eq!(take(&mut room, 300), Some((0, 0)));
        assert_eq!(take(&mut room, 64), Some((320, 1)));
        assert_eq!(take(&mut room, 500), Some((384, 2)));
        assert_eq!(room.find(129), None);
        room.done(0);
        assert_eq!(room.find(321), None);
        assert_eq!(take(&mut room, 320), Some((0, 3)), "what does not fit at the end lies at the beginning");
        assert_eq!(room.find(1), None, "not a byte of who is still there");
    }

    #[test]
    fn memory_is_free_again_when_all_before_is_done() {
        let mut room = Room::new(256, 4);
        for _ in 0..4 {
            assert!(take(&mut room, 64).is_some());
        }
        room.done(1);
        room.done(2);
        assert_eq!(room.find(64), None);
        room.done(0);
        assert_eq!(room.find(192), Some(0));
        room.done(3);
        assert_eq!(room.find(256), Some(0));
    }

    #[test]
    fn no_two_frames_ever_overlap() {
        let mut room = Room::new(4_096, 16);
        let mut held: Vec<(u16, usize, usize)> = Vec::new();
        let mut random = 12_345_u32;
        for _ in 0..200_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = (random >> 16) as usize;
            let len = 1 + number % 1_500;
            if number.is_multiple_of(3) && !held.is_empty() {
                let (tag, ..) = held.remove(number / 3 % held.len().min(3));
                room.done(tag);
            } else if let Some((start, tag)) = take(&mut room, len) {
                let end = start + len;
                assert!(end <= 4_096);
                assert!(held.iter().all(|(_, from, to)| end <= *from || *to <= start), "{start} to {end} in {held:?}");
                held.push((tag, start, end));
            }
        }
    }
}
