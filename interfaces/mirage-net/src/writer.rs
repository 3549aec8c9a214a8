//! Writing a frame straight into the device's buffer.

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

    /// Appends `bytes`.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        let space = &mut self.buffer[self.written..];
        if let Some(space) = space.get_mut(..bytes.len()) {
            space.copy_from_slice(bytes);
            self.written += bytes.len();
        } else {
            self.overflowed = true;
        }
    }

    /// Appends `count` zero bytes.
    pub fn put_zeroes(&mut self, count: usize) {
        let space = &mut self.buffer[self.written..];
        if let Some(space) = space.get_mut(..count) {
            space.fill(0);
            self.written += count;
        } else {
            self.overflowed = true;
        }
    }

    /// Appends a hardware address.
    pub fn put_mac(&mut self, address: MacAddress) {
        self.put(&address.octets());
    }

    /// Changes bytes that were written before, `at` bytes from the start of the frame.
    ///
    /// A patch that reaches past what was written marks the frame as overflowed instead.
    #[inline]
    pub fn patch(&mut self, at: usize, bytes: &[u8]) {
        match self.written().len().checked_sub(at) {
            Some(room) if room >= bytes.len() => self.buffer[at..at + bytes.len()].copy_from_slice(bytes),
            _ => self.overflowed = true,
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
