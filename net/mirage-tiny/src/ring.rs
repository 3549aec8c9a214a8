//! Bytes of a stream in a buffer that is used round and round.

/// Where the bytes lie. The buffer is lent to each call, and is always the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ring {
    start: u32,
    /// How many bytes there are.
    pub(crate) len: u32,
}

impl Ring {
    /// No bytes.
    pub(crate) const EMPTY: Self = Self { start: 0, len: 0 };

    /// Where `offset` bytes after the first lie in a buffer of `capacity` bytes.
    fn place(self, offset: u32, capacity: usize) -> usize {
        let at = self.start as usize + offset as usize;
        if at >= capacity { at - capacity } else { at }
    }

    /// `len` bytes, `offset` bytes after the first, in the one or two pieces in which they lie.
    pub(crate) fn pieces(self, buffer: &[u8], offset: u32, len: usize) -> [&[u8]; 2] {
        let rest = buffer.get(self.place(offset, buffer.len())..).unwrap_or_default();
        match rest.get(..len) {
            Some(whole) => [whole, &[]],
            None => [rest, buffer.get(..len - rest.len()).unwrap_or_default()],
        }
    }

    /// Writes `bytes`, `offset` bytes after the first. There is room for them: the caller has looked.
    pub(crate) fn put(self, buffer: &mut [u8], offset: u32, bytes: &[u8]) {
        let at = self.place(offset, buffer.len());
        let (front, back) = buffer.split_at_mut_checked(at).unwrap_or_default();
        let (first, second) = bytes.split_at(bytes.len().min(back.len()));
        copy(back, first);
        copy(front, second);
    }

    /// Copies up to `into.len()` of the oldest bytes and forgets them; how many they were.
    pub(crate) fn take(&mut self, buffer: &[u8], into: &mut [u8]) -> usize {
        let len = into.len().min(self.len as usize);
        let [first, second] = self.pieces(buffer, 0, len);
        copy(into, first);
        copy(into.get_mut(first.len()..).unwrap_or_default(), second);
        self.forget(len as u32, buffer.len());
        len
    }

    /// Forgets the `count` oldest bytes.
    pub(crate) fn forget(&mut self, count: u32, capacity: usize) {
        self.start = self.place(count, capacity) as u32;
        self.len -= count;
    }
}

/// Copies as much as there is room for.
#[inline(never)]
fn copy(into: &mut [u8], bytes: &[u8]) {
    mirage_checksum::copy(into, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_round_the_end() {
        let mut buffer = [0; 5];
        let mut ring = Ring::default();
        let (mut next, mut expected) = (0, 0);
        for step in 0..100 {
            let room = 5 - ring.len;
            let count = room.min(step % 4);
            let bytes: [u8; 5] = core::array::from_fn(|at| next + at as u8);
            ring.put(&mut buffer, ring.len, &bytes[..count as usize]);
            ring.len += count;
            next += count as u8;
            let mut taken = [0; 5];
            let count = ring.take(&buffer, &mut taken[..(step % 3) as usize]);
            for byte in &taken[..count] {
                assert_eq!(*byte, expected);
                expected += 1;
            }
        }
        assert!(expected > 50);
    }

    #[test]
    fn pieces_are_where_they_lie() {
        let buffer = [10, 11, 12, 13, 14];
        let ring = Ring { start: 3, len: 4 };
        assert_eq!(ring.pieces(&buffer, 0, 4), [&[13, 14][..], &[10, 11]]);
        assert_eq!(ring.pieces(&buffer, 1, 1), [&[14][..], &[]]);
        assert_eq!(ring.pieces(&buffer, 2, 2), [&[10, 11][..], &[]]);
    }
}
