//! What the guest is told at its start: where its memory ends, its devices, its command line.

use std::os::fd::RawFd;

/// Where the boot information lies.
pub(crate) const ADDRESS: usize = 0x1_1000;
/// Longest command line, in bytes, without the zero that ends it.
pub(crate) const LONGEST_COMMAND_LINE: usize = 8_191;
/// Bytes of Solo5's `struct spt_boot_info`.
const LEN: usize = 40;

/// What goes into the boot information.
pub(crate) struct Boot<'a> {
    /// One past the last byte of memory.
    pub(crate) memory: u64,
    /// One past the last page of the image.
    pub(crate) image: u64,
    pub(crate) command_line: &'a str,
    /// With what is behind each device.
    pub(crate) manifest: &'a [u8],
    pub(crate) epoll: RawFd,
    pub(crate) timer: RawFd,
}

impl Boot<'_> {
    /// The bytes for [`ADDRESS`]: the structure, the manifest, the command line. At most 15 KiB.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let manifest = ADDRESS + LEN;
        let command_line = manifest + self.manifest.len();
        let mut bytes = Vec::with_capacity(LEN + self.manifest.len() + self.command_line.len() + 1);
        for number in [self.memory, self.image, command_line as u64, manifest as u64] {
            bytes.extend(number.to_le_bytes());
        }
        for fd in [self.epoll, self.timer] {
            bytes.extend(fd.to_le_bytes());
        }
        bytes.extend(self.manifest);
        bytes.extend(self.command_line.as_bytes());
        bytes.push(0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structure_points_at_what_follows_it() {
        let boot =
            Boot { memory: 1 << 24, image: 0x10_3000, command_line: "a b", manifest: &[7; 112], epoll: 4, timer: 5 };
        let bytes = boot.bytes();
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight"));
        assert_eq!([number(0), number(8), number(16), number(24)], [1 << 24, 0x10_3000, 0x1_1028 + 112, 0x1_1028]);
        assert_eq!(bytes[32..40], [4, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(bytes[40..152], [7; 112]);
        assert_eq!(&bytes[152..], b"a b\0");
    }

    #[test]
    fn the_largest_ends_before_the_image() {
        let line = "x".repeat(LONGEST_COMMAND_LINE);
        let boot = Boot { memory: 0, image: 0, command_line: &line, manifest: &[0; 8 + 64 * 104], epoll: 0, timer: 0 };
        assert!(ADDRESS + boot.bytes().len() <= 0x10_0000);
    }
}
