//! What a multiboot loader says (Multiboot Specification 0.6.96 §3.3).

use core::ops::Range;

use super::command_line::Begins;
use super::physical::Memory;

/// Where things are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Information {
    /// The address of the command line, 0 without one.
    pub(super) command_line: u64,
    /// How it begins: QEMU and old GRUBs put the name of the image there, others do not.
    pub(super) begins: Begins,
    /// KiB from 1 MiB on.
    upper: u32,
    map: Range32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Range32 {
    start: u32,
    length: u32,
}

/// Reads the information at `address`.
pub(super) fn read(memory: &impl Memory, address: u64) -> Information {
    let flags = memory.u32(address);
    let field = |flag: u32, offset| if flags & 1 << flag == 0 { 0 } else { memory.u32(address + offset) };
    Information {
        upper: field(0, 8),
        command_line: field(2, 16).into(),
        begins: match &memory.bytes(field(9, 64).into()) {
            b"qemu\0" | b"GNU G" => Begins::AfterName,
            _ => Begins::AtOnce,
        },
        map: Range32 { length: field(6, 44), start: field(6, 48) },
    }
}

/// The memory that can be used: by the map, or without one what the BIOS of old counted from 1 MiB on.
pub(super) fn usable(memory: &impl Memory, information: &Information) -> impl Iterator<Item = Range<u64>> {
    let map = information.map;
    let mut at = u64::from(map.start);
    let end = at + u64::from(map.length.min(LARGEST_MAP));
    let entries = core::iter::from_fn(move || {
        while at < end {
            // The size of an entry does not count the field that says it.
            let (entry, size) = (at + 4, memory.u32(at));
            at = entry + u64::from(size);
            if size >= 20 && memory.u32(entry + 16) == RAM {
                let start = memory.u64(entry);
                return Some(start..start.saturating_add(memory.u64(entry + 8)));
            }
        }
        None
    });
    let counted = (map.length == 0).then(|| ONE_MIB..ONE_MIB + u64::from(information.upper) * 1024);
    entries.chain(counted)
}

const ONE_MIB: u64 = 1 << 20;
const RAM: u32 = 1;
/// Bytes of map that are looked at.
const LARGEST_MAP: u32 = 1 << 16;

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "the range is meant")]
mod tests {
    use super::super::physical::fake::Fake;
    use super::*;

    fn loaded(flags: u32) -> Fake {
        let mut memory = Fake::default();
        memory.put(0x9000, &flags.to_le_bytes());
        memory.put(0x9000 + 8, &64_512_u32.to_le_bytes());
        memory.put(0x9000 + 16, &0x12_3456_u32.to_le_bytes());
        memory.put(0x9000 + 44, &48_u32.to_le_bytes());
        memory.put(0x9000 + 48, &0x9100_u32.to_le_bytes());
        for (index, (start, length, kind)) in
            [(0_u64, 0x9_fc00_u64, 1_u32), (0x10_0000, 0x300_0000, 1)].iter().enumerate()
        {
            let at = 0x9100 + 24 * index as u64;
            memory.put(at, &20_u32.to_le_bytes());
            memory.put(at + 4, &start.to_le_bytes());
            memory.put(at + 12, &length.to_le_bytes());
            memory.put(at + 20, &kind.to_le_bytes());
        }
        memory
    }

    fn pieces(memory: &Fake) -> Vec<Range<u64>> {
        usable(memory, &read(memory, 0x9000)).collect()
    }

    #[test]
    fn the_map_is_read() {
        let memory = loaded(0b100_0101);
        assert_eq!(read(&memory, 0x9000).command_line, 0x12_3456);
        assert_eq!(pieces(&memory), [0..0x9_fc00, 0x10_0000..0x310_0000]);
    }

    #[test]
    fn loaders_that_begin_with_the_name_of_the_image_are_known_by_theirs() {
        let mut memory = loaded(0b10_0100_0101);
        memory.put(0x9000 + 64, &0x9800_u32.to_le_bytes());
        memory.put(0x9800, b"GRUB 2.06\0");
        assert_eq!(read(&memory, 0x9000).begins, Begins::AtOnce);
        memory.put(0x9800, b"GNU GRUB 0.97\0");
        assert_eq!(read(&memory, 0x9000).begins, Begins::AfterName);
        memory.put(0x9800, b"qemu\0");
        assert_eq!(read(&memory, 0x9000).begins, Begins::AfterName);
    }

    #[test]
    fn reserved_memory_is_not_usable() {
        let mut memory = loaded(0b100_0101);
        memory.put(0x9100 + 20, &[2]);
        assert_eq!(pieces(&memory), [0x10_0000..0x310_0000]);
    }

    #[test]
    fn without_a_map_the_old_count_serves() {
        let memory = loaded(0b1);
        assert_eq!(read(&memory, 0x9000).command_line, 0);
        assert_eq!(pieces(&memory), [0x10_0000..0x400_0000]);
    }

    #[test]
    fn an_entry_of_no_size_does_not_stop_the_walk_for_ever() {
        let mut memory = loaded(0b100_0101);
        memory.put(0x9000 + 44, &u32::MAX.to_le_bytes());
        memory.put(0x9100, &[0; 64]);
        assert_eq!(pieces(&memory), []);
    }
}
