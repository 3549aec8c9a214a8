//! What a PVH loader says (Xen's `arch-x86/hvm/start_info.h`).

use core::ops::Range;

use super::physical::Memory;

/// Where things are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Information {
    /// The address of the command line, 0 without one.
    pub(super) command_line: u64,
    map: u64,
    entries: u32,
}

/// Reads the start information at `address`. All is zero when its magic number is not there.
pub(super) fn read(memory: &impl Memory, address: u64) -> Information {
    if memory.u32(address) != MAGIC {
        return Information::default();
    }
    let command_line = memory.u64(address + 24);
    // The first version knows no map.
    if memory.u32(address + 4) == 0 {
        return Information { command_line, ..Information::default() };
    }
    Information { command_line, map: memory.u64(address + 40), entries: memory.u32(address + 48) }
}

/// The memory that can be used.
pub(super) fn usable(memory: &impl Memory, information: &Information) -> impl Iterator<Item = Range<u64>> {
    let entries = information.entries.min(MOST_ENTRIES).into();
    let map = information.map;
    (0..entries).filter_map(move |index| {
        let entry = map.checked_add(index * ENTRY_BYTES)?;
        let start = memory.u64(entry);
        let length = memory.u64(entry.checked_add(8)?);
        (memory.u32(entry.checked_add(16)?) == RAM).then(|| start..start.saturating_add(length))
    })
}

const MAGIC: u32 = 0x336e_c578;
const ENTRY_BYTES: u64 = 24;
const RAM: u32 = 1;
/// More than any machine has; a wrong count must not take for ever.
const MOST_ENTRIES: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::super::physical::fake::Fake;
    use super::*;

    fn entry(start: u64, length: u64, kind: u32) -> Vec<u8> {
        [&start.to_le_bytes()[..], &length.to_le_bytes(), &kind.to_le_bytes(), &[0; 4]].concat()
    }

    fn loaded(version: u32) -> Fake {
        let mut memory = Fake::default();
        memory.put(0x6000, &MAGIC.to_le_bytes());
        memory.put(0x6004, &version.to_le_bytes());
        memory.put(0x6000 + 24, &0x2_0000_u64.to_le_bytes());
        memory.put(0x6000 + 40, &0x7000_u64.to_le_bytes());
        memory.put(0x6000 + 48, &3_u32.to_le_bytes());
        memory.put(0x7000, &entry(0, 0x9_fc00, 1));
        memory.put(0x7000 + 24, &entry(0x9_fc00, 0x400, 2));
        memory.put(0x7000 + 48, &entry(0x10_0000, 0x700_0000, 1));
        memory
    }

    #[test]
    fn the_command_line_and_the_usable_memory_are_found() {
        let memory = loaded(1);
        let found = read(&memory, 0x6000);
        assert_eq!(found.command_line, 0x2_0000);
        assert_eq!(usable(&memory, &found).collect::<Vec<_>>(), [0..0x9_fc00, 0x10_0000..0x710_0000]);
    }

    #[test]
    fn the_first_version_has_no_map() {
        let memory = loaded(0);
        let found = read(&memory, 0x6000);
        assert_eq!(found.command_line, 0x2_0000);
        assert_eq!(usable(&memory, &found).count(), 0);
    }

    #[test]
    fn a_wrong_magic_number_says_nothing() {
        let mut memory = loaded(1);
        memory.put(0x6000, &[0]);
        assert_eq!(read(&memory, 0x6000), Information::default());
    }

    #[test]
    fn a_count_out_of_bounds_ends() {
        let mut memory = loaded(1);
        memory.put(0x6000 + 48, &u32::MAX.to_le_bytes());
        let found = read(&memory, 0x6000);
        assert_eq!(usable(&memory, &found).count(), 2);
        memory.put(0x6000 + 40, &(u64::MAX - 10).to_le_bytes());
        assert_eq!(usable(&memory, &read(&memory, 0x6000)).count(), 0);
    }
}
