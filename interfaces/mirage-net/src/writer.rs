//! Writing a frame straight into the device's buffer.

use core::hint::cold_path;

use mirage_checksum::{Sum, copy, copy_and_sum, copy_and_sum_short};

use crate::MacAddress;

/// Appends to a frame inside the device's own buffer.
///
/// A frame is what was written, never what was reserved: there is no way to skip bytes, so whatever the buffer held
/// before cannot leave with the frame. Bytes already written may be changed with [`patch`](Self::patch), which is how
/// a checksum gets into a header that lies before its payload.
///
/// A write past the end of the buffer is cut and remembered; the device then refuses the frame
/// ([`FrameWriter::overflowed`]).
#[derive(Debug)]
pub struct FrameWriter<'a> {
    buffer: &'a mut [u8],
    /// Invariant: `written <= buffer.len()`.
    written: usize,
    overflowed: bool,
}

impl<'a> FrameWriter<'a> {
    /// An empty frame that may grow to the size of `buffer`. Only devices and queues make one.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, written: 0, overflowed: false }
    }

    /// Lets `fill` write into `buffer` and lends what it wrote; `None` when it overflowed. This is how a device should
    /// call `fill`.
    ///
    /// Safe code can put a writer over a `'static` buffer of its own in the place of the one it is lent. A device that
    /// then sent as many bytes of its own buffer as that writer counts would send what nobody wrote, so this counts as
    /// an overflow.
    #[inline(always)]
    pub fn fill(buffer: &'a mut [u8], fill: impl FnOnce(&mut FrameWriter<'_>)) -> Option<&'a mut [u8]> {
        let start = buffer.as_ptr();
        let mut writer = FrameWriter { buffer: &mut *buffer, written: 0, overflowed: false };
        fill(&mut writer);
        let written = writer.written;
        let whole = !writer.overflowed && core::ptr::eq(writer.buffer.as_ptr(), start);
        if !whole {
            cold_path();
            return None;
        }
        buffer.get_mut(..written)
    }

    /// Appends `bytes`.
    #[inline(never)]
    pub fn put(&mut self, bytes: &[u8]) {
        let end = self.written.wrapping_add(bytes.len());
        match self.buffer.get_mut(self.written..end) {
            Some(space) => self.written += copy(space, bytes),
            None => {
                cold_path();
                self.overflowed = true;
            }
        }
    }

    /// Appends `bytes` as [`put`](Self::put) does: for headers, whose length the compiler knows. It costs a few
    /// instructions less, and a few more bytes of code at each place.
    #[inline]
    pub fn put_header(&mut self, bytes: &[u8]) {
        // Slices are at most half of the address space long, so this does not wrap.
        let end = self.written.wrapping_add(bytes.len());
        match self.buffer.get_mut(self.written..end) {
            Some(space) => {
                space.copy_from_slice(bytes);
                self.written = end;
            }
            None => {
                cold_path();
                self.overflowed = true;
            }
        }
    }

    /// Appends `bytes` as [`put`](Self::put) does and gives their sum: one pass over the memory for both. Of what does
    /// not fit the sum is zero; the frame is lost anyway.
    #[inline]
    pub fn put_summed(&mut self, bytes: &[u8]) -> Sum {
        let end = self.written.wrapping_add(bytes.len());
        match self.buffer.get_mut(self.written..end) {
            Some(space) => {
                self.written = end;
                copy_and_sum(space, bytes)
            }
            None => {
                self.overflowed = true;
                Sum::ZERO
            }
        }
    }

    /// Appends a header of `N` bytes and behind it `bytes`, which are summed in the same pass; `header` makes the header of
    /// their sum. For what carries its checksum before its payload.
    #[inline(always)]
    pub fn put_headed<const N: usize>(&mut self, bytes: &[u8], header: impl FnOnce(Sum) -> [u8; N]) {
        if let Some((place, space)) = self.headed_space(bytes.len()) {
            *place = header(copy_and_sum(space, bytes));
        }
    }

    /// The same; where `bytes` are few in the place of the call.
    #[inline(always)]
    pub fn put_headed_short<const N: usize>(&mut self, bytes: &[u8], header: impl FnOnce(Sum) -> [u8; N]) {
        if let Some((place, space)) = self.headed_space(bytes.len()) {
            *place = header(copy_and_sum_short(space, bytes));
        }
    }

    /// Appends `header` and behind it `bytes`, with one look at whether there is room.
    #[inline(always)]
    pub fn put_behind<const N: usize>(&mut self, header: [u8; N], bytes: &[u8]) {
        if let Some((place, space)) = self.headed_space(bytes.len()) {
            *place = header;
            copy(space, bytes);
        }
    }

    /// Appends a header of `N` bytes and behind it `len` bytes in the pieces that `next` gives, of at most so many bytes each,
    /// until one is empty. With `SUM` they are summed in the same pass; else the sum, of which `header` makes the header, is zero.
    /// If there is not room for all nothing is written.
    #[inline(always)]
    pub fn put_headed_pieces<'p, const N: usize, const SUM: bool>(
        &mut self,
        len: usize,
        mut next: impl FnMut(usize) -> &'p [u8],
        header: impl FnOnce(Sum) -> [u8; N],
    ) {
        let Some((place, mut space)) = self.headed_space(len) else { return };
        let (mut sum, mut left) = (Sum::ZERO, len);
        while left > 0 {
            let piece = next(left);
            if piece.is_empty() {
                break;
            }
            // It is no longer than asked for; of one that is, the rest is not written.
            let (to, behind) = space.split_at_mut(piece.len().min(left));
            match SUM {
                true => sum = sum.add_sum(copy_and_sum(to, piece)),
                false => _ = copy(to, piece),
            }
            left -= to.len();
            space = behind;
        }
        *place = header(sum);
        self.written -= left;
    }

    /// Space for a header of `N` bytes and `len` bytes behind it, which count as written.
    #[inline(always)]
    fn headed_space<const N: usize>(&mut self, len: usize) -> Option<(&mut [u8; N], &mut [u8])> {
        let space = self.buffer.get_mut(self.written..).unwrap_or_default();
        let space = space.get_mut(..len.wrapping_add(N)).and_then(|space| space.split_first_chunk_mut());
        match space {
            Some(_) => self.written += N + len,
            None => {
                cold_path();
                self.overflowed = true;
            }
        }
        space
    }

    /// Appends `count` zero bytes.
    pub fn put_zeroes(&mut self, count: usize) {
        let end = self.written.saturating_add(count);
        match self.buffer.get_mut(self.written..end) {
            Some(space) => {
                // C libraries use string instructions for more at once, which some processors take longer for.
                space.chunks_mut(2048).for_each(|some| some.fill(0));
                self.written = end;
            }
            None => self.overflowed = true,
        }
    }

    /// Appends a hardware address.
    pub fn put_mac(&mut self, address: MacAddress) {
        self.put(&address.octets());
    }

    /// Changes bytes that were written before, `at` bytes from the start of the frame.
    ///
    /// A patch that reaches past what was written marks the frame as overflowed instead.
    pub fn patch(&mut self, at: usize, bytes: &[u8]) {
        let written = self.buffer.get_mut(..self.written).unwrap_or_default();
        match written.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => place.copy_from_slice(bytes),
            None => self.overflowed = true,
        }
    }

    /// How many bytes the frame has so far. A layer notes it before it writes its header: its [`patch`](Self::patch)
    /// counts from there.
    pub const fn len(&self) -> usize {
        self.written
    }

    /// Whether nothing was written yet.
    pub const fn is_empty(&self) -> bool {
        self.written == 0
    }

    /// How many bytes still fit.
    pub const fn remaining(&self) -> usize {
        self.buffer.len() - self.written
    }

    /// Whether something did not fit; the device then drops the frame with [`SendError::TooLong`](crate::SendError).
    pub const fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// What was written so far: for sums over it.
    #[inline]
    pub fn written(&self) -> &[u8] {
        &self.buffer[..self.written]
    }

    /// Ends the frame and lends what was written, for the device to send.
    pub fn finish(self) -> &'a mut [u8] {
        &mut self.buffer[..self.written]
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::boxed::Box;
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_frame_is_what_was_written_not_what_was_reserved() {
        let mut buffer = [0xee; 100];
        let mut frame = FrameWriter::new(&mut buffer);
        frame.put(&[1, 2, 3]);
        frame.put_zeroes(2);
        frame.put_mac(MacAddress([9; 6]));
        assert_eq!((frame.len(), frame.remaining()), (11, 89));
        assert_eq!(frame.finish(), [1, 2, 3, 0, 0, 9, 9, 9, 9, 9, 9]);
    }

    #[test]
    fn a_write_that_does_not_fit_writes_nothing_and_is_remembered() {
        let mut buffer = [0; 4];
        let mut frame = FrameWriter::new(&mut buffer);
        frame.put(&[1, 2, 3]);
        frame.put(&[4, 5]);
        assert!(frame.overflowed());
        assert_eq!(frame.written(), [1, 2, 3]);
        frame.put(&[6]);
        assert!(frame.overflowed(), "a later write that fits does not heal the frame");
    }

    /// Writes up to `len` bytes in pieces of these lengths behind three others and what was found to be their sum.
    fn in_pieces<const SUM: bool>(lens: &[usize], len: usize, room: usize) -> (Vec<u8>, bool) {
        let bytes: [u8; 300] = core::array::from_fn(|index| index as u8);
        let mut buffer = [0xee; 300];
        let mut frame = FrameWriter::new(&mut buffer[..room]);
        frame.put(&[1, 2, 3]);
        let (mut place, mut lens) = (0, lens.iter());
        let next = |most: usize| {
            let start = place;
            place += lens.next().map_or(0, |len| most.min(*len));
            &bytes[start..place]
        };
        frame.put_headed_pieces::<2, SUM>(len, next, |sum| sum.partial().to_be_bytes());
        (frame.written().to_vec(), frame.overflowed())
    }

    #[test]
    fn pieces_lie_one_behind_the_other_and_what_is_missing_is_not_written() {
        let bytes: [u8; 300] = core::array::from_fn(|index| index as u8);
        for (lens, len, comes) in [
            (&[3, 130, 1, 66][..], 200, 200),
            (&[200], 100, 100),
            (&[7, 0, 50], 57, 7),
            (&[], 10, 0),
            (&[5], 0, 0),
            (&[31, 64], 200, 95),
        ] {
            let expected = |sum: Sum| [&[1, 2, 3], &sum.partial().to_be_bytes()[..], &bytes[..comes]].concat();
            let summed = (expected(Sum::of(&bytes[..comes])), false);
            assert_eq!(in_pieces::<true>(lens, len, 205), summed, "{lens:?} {len}");
            assert_eq!(in_pieces::<false>(lens, len, 205), (expected(Sum::ZERO), false), "{lens:?} {len}");
        }
        let (written, overflowed) = in_pieces::<true>(&[100, 100], 200, 204);
        assert!(written == [1, 2, 3] && overflowed, "there is no room for all");
    }

    #[test]
    fn what_is_summed_is_what_was_written() {
        let bytes: [u8; 200] = core::array::from_fn(|index| index as u8);
        for (first, len) in [(1, 3), (0, 0), (7, 64), (3, 190)] {
            let mut buffer = [0xee; 200];
            let mut frame = FrameWriter::new(&mut buffer);
            frame.put(&bytes[..first]);
            let sum = frame.put_summed(&bytes[first..first + len]);
            assert_eq!(frame.written(), &bytes[..first + len]);
            assert_eq!(sum.finish(), Sum::of(&bytes[first..first + len]).finish());
        }
        let mut buffer = [0; 4];
        let mut frame = FrameWriter::new(&mut buffer);
        assert_eq!(frame.put_summed(&[1; 5]).partial(), 0);
        assert!(frame.overflowed() && frame.is_empty());
    }

    #[test]
    fn a_header_comes_before_what_it_is_made_of() {
        let bytes: [u8; 100] = core::array::from_fn(|index| index as u8);
        for len in [0, 1, 64, 97] {
            let mut buffer = [0xee; 100];
            let mut frame = FrameWriter::new(&mut buffer);
            frame.put(&[7]);
            frame.put_headed(&bytes[..len], |sum| sum.finish().to_be_bytes());
            assert_eq!(frame.written()[0], 7);
            assert_eq!(frame.written()[1..3], Sum::of(&bytes[..len]).finish().to_be_bytes());
            assert_eq!(frame.written()[3..], bytes[..len]);
            assert!(!frame.overflowed());
        }
        let mut buffer = [0xee; 100];
        let mut frame = FrameWriter::new(&mut buffer);
        frame.put(&[7]);
        frame.put_headed(&bytes[..98], |_| panic!("it is not asked for a header that has no room") as [u8; 2]);
        assert!(frame.overflowed());
        assert_eq!(frame.written(), [7]);
    }

    #[test]
    fn zeroes_that_do_not_fit_are_remembered_too() {
        let mut buffer = [7; 4];
        let mut frame = FrameWriter::new(&mut buffer);
        frame.put_zeroes(5);
        assert!(frame.overflowed() && frame.is_empty());
    }

    #[test]
    fn a_patch_changes_only_what_was_written() {
        let mut buffer = [0xee; 8];
        let mut frame = FrameWriter::new(&mut buffer);
        frame.put(&[1, 2, 3, 4]);
        frame.patch(2, &[8, 9]);
        assert_eq!(frame.written(), [1, 2, 8, 9]);
        assert!(!frame.overflowed());
        frame.patch(3, &[1, 1]);
        assert!(frame.overflowed());
        assert_eq!(frame.written(), [1, 2, 8, 9]);
    }

    #[test]
    fn a_patch_from_nowhere_is_refused() {
        let mut buffer = [0; 8];
        let mut frame = FrameWriter::new(&mut buffer);
        frame.patch(usize::MAX, &[1]);
        assert!(frame.overflowed());
    }

    #[test]
    fn fill_lends_what_was_written() {
        let mut buffer = [0xee; 8];
        let written = FrameWriter::fill(&mut buffer, |frame| frame.put(&[1, 2]));
        assert_eq!(written, Some(&mut [1, 2][..]));
        assert_eq!(FrameWriter::fill(&mut buffer, |frame| frame.put(&[0; 9])), None);
    }

    #[test]
    fn a_replaced_writer_does_not_vouch_for_the_buffer() {
        let foreign = Box::leak(vec![0; 8].into_boxed_slice());
        let mut buffer = [0xee; 8];
        let written = FrameWriter::fill(&mut buffer, |frame| {
            let mut other = FrameWriter::new(foreign);
            other.put(&[1; 8]);
            *frame = other;
        });
        assert_eq!(written, None);
    }
}
