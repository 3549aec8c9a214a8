//! What an image was started with.

use core::fmt;
use core::ops::Range;

use crate::Devices;

/// What an image was started with.
#[derive(Clone, Copy, Debug)]
pub struct Boot {
    command_line: &'static [u8],
    memory_end: usize,
    devices: Devices,
}

impl Boot {
    /// A start with these arguments, this end of memory and these devices; what a target makes.
    pub const fn new(command_line: &'static [u8], memory_end: usize, devices: Devices) -> Self {
        Self { command_line, memory_end, devices }
    }

    /// The arguments after the image's name, joined by single blanks; at most 8,191 bytes.
    ///
    /// # Errors
    /// [`CommandLineError`] when they are not UTF-8.
    pub fn command_line(&self) -> Result<&'static str, CommandLineError> {
        core::str::from_utf8(self.command_line).map_err(|_| CommandLineError)
    }

    /// The arguments as the host has them, UTF-8 or not.
    pub const fn command_line_bytes(&self) -> &'static [u8] {
        self.command_line
    }

    /// The first address after the machine's memory; the stack grows down from there.
    pub const fn memory_end(&self) -> usize {
        self.memory_end
    }

    /// The devices that were attached.
    pub const fn devices(&self) -> Devices {
        self.devices
    }

    /// The memory that nobody uses: from `image_end` on, the address after the image and its zeroed data, to where the
    /// `stack` bytes for the stack begin. Empty when there is none. Both ends are multiples of 16.
    ///
    /// The tender's own idea of the image's end is of no use: it leaves out a segment of zeroed data alone.
    pub const fn heap(&self, image_end: usize, stack: usize) -> Range<usize> {
        let start = image_end.saturating_add(15) & !15;
        let end = self.memory_end.saturating_sub(stack) & !15;
        if start < end { start..end } else { start..start }
    }
}

/// The command line is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandLineError;

impl fmt::Display for CommandLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the command line is not UTF-8")
    }
}

impl core::error::Error for CommandLineError {}

/// The command line that a tender left at `text`, without its end.
///
/// # Safety
/// `text` is null or points to bytes that end with a zero within [`COMMAND_LINE`] and never change.
pub(crate) unsafe fn command_line(text: *const u8) -> &'static [u8] {
    let mut len = 0;
    if text.is_null() {
        return &[];
    }
    // SAFETY: no byte behind the end is read: the count stops there.
    while len < COMMAND_LINE && unsafe { text.add(len).read() } != 0 {
        len += 1;
    }
    // SAFETY: the bytes were read just now; by contract they do not change.
    unsafe { core::slice::from_raw_parts(text, len) }
}

/// Longest command line of a tender, its end included.
const COMMAND_LINE: usize = 8_192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heap_lies_between_image_and_stack() {
        let boot = Boot::new(b"", 0x20_0000, Devices::NONE);
        assert_eq!(boot.heap(0x12_3451, 0x1_0000), 0x12_3460..0x1f_0000);
        assert!(boot.heap(0x1f_fff0, 0x1_0000).is_empty());
        assert!(boot.heap(usize::MAX, usize::MAX).is_empty());
    }

    #[test]
    fn a_command_line_that_is_no_text_is_told() {
        let boot = Boot::new(b"--name=\xff", 0, Devices::NONE);
        assert_eq!(boot.command_line(), Err(CommandLineError));
        assert_eq!(boot.command_line_bytes(), b"--name=\xff");
        assert_eq!(Boot::new("--name=é".as_bytes(), 0, Devices::NONE).command_line(), Ok("--name=é"));
    }

    #[test]
    fn a_command_line_ends_at_its_zero_or_at_the_most_a_tender_gives() {
        // SAFETY: each ends with a zero, or is as long as the longest.
        unsafe {
            assert_eq!(command_line(core::ptr::null()), b"");
            assert_eq!(command_line(b"a b\0c".as_ptr()), b"a b");
            assert_eq!(command_line([b'x'; COMMAND_LINE].as_ptr()).len(), COMMAND_LINE);
        }
    }
}
