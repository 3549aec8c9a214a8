//! The command line.

use super::physical::Memory;
use crate::machine::devices::Slot;

/// A command line, taken apart.
#[derive(Debug)]
pub(super) struct CommandLine {
    bytes: [u8; LONGEST],
    length: usize,
    slots: [Option<Slot>; MOST_SLOTS],
}

/// How a loader's command line begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Begins {
    /// With the first argument.
    #[default]
    AtOnce,
    /// With the name of the image and a blank.
    AfterName,
}

impl CommandLine {
    /// Nothing; all zeros, so that it takes no room in the file of the image.
    pub(super) const EMPTY: Self = Self { bytes: [0; LONGEST], length: 0, slots: [None; MOST_SLOTS] };

    /// Copies, into an empty one, the command line at `address`; 0 is none.
    ///
    /// Words that say where a device is (`virtio_mmio.device=…`, as QEMU and Firecracker append them) are for this crate and
    /// not for the program.
    pub(super) fn read(&mut self, memory: &impl Memory, address: u64, begins: Begins) {
        if address == 0 {
            return;
        }
        let mut start_of_word = 0;
        let mut in_name = begins == Begins::AfterName;
        for at in (address..).take(LONGEST) {
            let [byte] = memory.bytes(at);
            if byte == 0 {
                break;
            }
            if in_name {
                in_name = byte != b' ';
                continue;
            }
            if byte == b' ' {
                if self.end_word(start_of_word) {
                    continue;
                }
                start_of_word = self.length + 1;
            }
            self.bytes[self.length] = byte;
            self.length += 1;
        }
        self.end_word(start_of_word);
    }

    /// What the program is told; empty when it is not UTF-8.
    pub(super) fn arguments(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default().trim_matches(' ')
    }

    /// Where devices are.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.slots.iter().copied().flatten()
    }

    /// Takes the last word away when it says where a device is, and says so. What is no device, or one too many, is no
    /// argument either.
    fn end_word(&mut self, start: usize) -> bool {
        let Some(place) = self.bytes[start..self.length].strip_prefix(PREFIX) else { return false };
        let slot = Slot::parse(place);
        if let Some(free) = self.slots.iter_mut().find(|slot| slot.is_none()) {
            *free = slot;
        }
        self.length = start;
        true
    }
}

/// Bytes of a command line that are looked at; what is longer is cut.
const LONGEST: usize = 4096;
/// Devices by the command line: more than interrupts for them.
const MOST_SLOTS: usize = 32;
const PREFIX: &[u8] = b"virtio_mmio.device=";

#[cfg(test)]
mod tests {
    use super::super::physical::fake::Fake;
    use super::*;

    fn line(text: &[u8], begins: Begins) -> CommandLine {
        let mut memory = Fake::default();
        memory.put(0x2_0000, text);
        let mut line = CommandLine::EMPTY;
        line.read(&memory, 0x2_0000, begins);
        line
    }

    #[test]
    fn pvh_gives_the_arguments_as_they_are() {
        assert_eq!(line(b"--port 80  --logs=*:debug\0rest", Begins::AtOnce).arguments(), "--port 80  --logs=*:debug");
    }

    #[test]
    fn multiboot_puts_the_name_of_the_image_before_them() {
        assert_eq!(line(b"dist/web.virtio --port 80\0", Begins::AfterName).arguments(), "--port 80");
        assert_eq!(line(b"dist/web.virtio\0", Begins::AfterName).arguments(), "");
        assert_eq!(line(b"dist/web.virtio \0", Begins::AfterName).arguments(), "");
    }

    #[test]
    fn devices_are_not_arguments() {
        let found = line(
            b"a virtio_mmio.device=512@0xfeb00e00:12 b virtio_mmio.device=4K@0xd0000000:5 virtio_mmio.device=x\0",
            Begins::AtOnce,
        );
        assert_eq!(found.arguments(), "a b");
        let places: Vec<_> = found.slots().collect();
        assert_eq!(
            places,
            [
                Slot { address: 0xfeb0_0e00, bytes: 512, interrupt: 12 },
                Slot { address: 0xd000_0000, bytes: 4096, interrupt: 5 }
            ]
        );
    }

    #[test]
    fn no_line_and_a_line_that_is_not_text_are_empty() {
        let mut none = CommandLine::EMPTY;
        none.read(&Fake::default(), 0, Begins::AfterName);
        assert_eq!(none.arguments(), "");
        assert_eq!(line(b"a \xff b\0", Begins::AtOnce).arguments(), "");
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = [b'x'; 10_000];
        assert_eq!(line(&long, Begins::AtOnce).arguments().len(), LONGEST);
    }

    #[test]
    fn more_devices_than_there_is_room_for_are_dropped() {
        let many = b"virtio_mmio.device=512@0x100000:1 ".repeat(60);
        let found = line(&many, Begins::AtOnce);
        assert_eq!(found.slots().count(), MOST_SLOTS);
        assert_eq!(found.arguments(), "");
    }
}
