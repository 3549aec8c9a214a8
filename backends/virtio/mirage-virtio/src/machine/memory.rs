//! How memory is mapped: the first 4 GiB, each address where it is.

use alloc::alloc::alloc_zeroed;
use core::arch::asm;
use core::arch::x86_64::__cpuid;
use core::cell::UnsafeCell;
use core::ops::Range;
use core::ptr::{NonNull, with_exposed_provenance_mut};

use super::cpu::msr;
use super::single::Single;

/// The page tables. The first instructions fill them.
#[derive(Debug)]
#[repr(C, align(4096))]
pub(super) struct Tables {
    /// 512 GiB an entry.
    top: Table,
    /// 1 GiB an entry.
    directory: Table,
    /// 2 MiB an entry.
    large: [Table; 4],
}

type Table = [u64; 512];

// SAFETY: only the one processor uses it.
pub(super) static TABLES: Single<UnsafeCell<Tables>> =
    unsafe { Single::new(UnsafeCell::new(Tables { top: [0; 512], directory: [0; 512], large: [[0; 512]; 4] })) };

/// Where the image lies, and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layout {
    code: Range<u64>,
    constants: Range<u64>,
    /// Below the stack.
    guard: Range<u64>,
    end: u64,
}

impl Layout {
    /// This image.
    fn image() -> Self {
        let [start, constants, data, guard, end] = [
            &raw const __load_start,
            &raw const __constants_start,
            &raw const __data_start,
            &raw const __stack_guard,
            &raw const __end,
        ]
        .map(|symbol| symbol.addr() as u64);
        Self { code: start..constants, constants: constants..data, guard: guard..guard + PAGE, end }
    }

    /// What may be done with the page at `address`: code is executed and constants are read, all else is read and written, and
    /// nothing is at the null pointer and below the stack.
    fn page(&self, address: u64) -> u64 {
        if address == 0 || self.guard.contains(&address) {
            0
        } else if self.code.contains(&address) {
            address | PRESENT
        } else if self.constants.contains(&address) {
            address | PRESENT | NO_EXECUTE
        } else {
            address | PRESENT | WRITABLE | NO_EXECUTE
        }
    }
}

/// The page below the stack, which is not mapped.
pub(super) fn guard() -> Range<u64> {
    Layout::image().guard
}

/// The first address after the image.
pub(super) fn image_end() -> u64 {
    Layout::image().end
}

/// Takes away from each page what is not done with it. What the loader left in the first page cannot be read any more.
pub(super) fn protect() {
    let layout = Layout::image();
    // Old processors take the bit that forbids execution for a mistake.
    let mask = if execution_can_be_forbidden() { u64::MAX } else { !NO_EXECUTE };
    // SAFETY: these are the tables in use and this is the only reference to them. What changes keeps every address where it
    // is, and takes away only what the linker script says is not needed.
    unsafe {
        let small = (&raw mut __page_tables).cast::<Table>();
        let large = (&mut *TABLES.get()).large.as_flattened_mut();
        for (index, entry) in large.iter_mut().enumerate() {
            let start = index as u64 * LARGE_PAGE;
            if start >= layout.end {
                *entry |= NO_EXECUTE & mask;
                continue;
            }
            // The table is complete before it takes the place of the large page: this code runs there.
            let table = small.add(index);
            for (page, entry) in (&mut *table).iter_mut().enumerate() {
                *entry = layout.page(start + page as u64 * PAGE) & mask;
            }
            *entry = table.addr() as u64 | PRESENT | WRITABLE;
        }
        asm!("mov cr3, {}", in(reg) TABLES.get(), options(nostack, preserves_flags));
    }
}

/// Makes sure that `bytes` of registers at `address` can be reached: nothing to do below 4 GiB, where all is mapped.
///
/// `None` when it cannot be done: without memory for tables, or beyond the first 128 TiB.
pub(super) fn map_device(address: u64, bytes: u64) -> Option<()> {
    let end = address.checked_add(bytes).filter(|end| *end <= 1 << 47)?;
    let pages = (address & !(LARGE_PAGE - 1)..end).step_by(LARGE_PAGE as usize);
    for page in pages.filter(|page| *page >= 4 << 30) {
        // SAFETY: these are the tables in use and this is the only reference to them; no memory is above 4 GiB for Rust.
        let tables = unsafe { &mut *TABLES.get() };
        let no_execute = tables.large[0][1] & NO_EXECUTE;
        let directory = below(&mut tables.top[index(page, 39)])?;
        let large = below(&mut directory[index(page, 30)])?;
        large[index(page, 21)] = page | PRESENT | WRITABLE | NOT_CACHED | LARGE | no_execute;
    }
    Some(())
}

/// The table that an entry leads to: a new one if there is none.
fn below(entry: &mut u64) -> Option<&mut Table> {
    if *entry == 0 {
        let layout = core::alloc::Layout::new::<Aligned>();
        // SAFETY: the layout has a size.
        let table = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        *entry = table.expose_provenance().get() as u64 | PRESENT | WRITABLE;
    }
    let table = (*entry & !(PAGE - 1)) as usize;
    // SAFETY: what is not a static is allocated by this function and never freed. A table is reached by one entry only.
    Some(unsafe { &mut *with_exposed_provenance_mut(table) })
}

/// The place in a table of an address, by the lowest bit that the table decides on.
fn index(address: u64, bit: u32) -> usize {
    (address >> bit & 511) as usize
}

#[repr(C, align(4096))]
struct Aligned(Table);

/// Turns on that execution can be forbidden; `false` if the processor cannot.
fn execution_can_be_forbidden() -> bool {
    let can = __cpuid(0x8000_0000).eax > 0x8000_0000 && __cpuid(0x8000_0001).edx & 1 << 20 != 0;
    if can {
        // SAFETY: every 64-bit processor has the register, and this one the bit.
        unsafe { msr::write(EFER, msr::read(EFER) | 1 << 11) };
    }
    can
}

const PAGE: u64 = 4096;
const PRESENT: u64 = 1;
const WRITABLE: u64 = 2;
const NOT_CACHED: u64 = 0b11000;
/// An entry for a page where the others are for tables.
const LARGE: u64 = 0x80;
const LARGE_PAGE: u64 = 2 << 20;
const NO_EXECUTE: u64 = 1 << 63;
const EFER: u32 = 0xc000_0080;

// By the linker script.
unsafe extern "C" {
    static __load_start: u8;
    static __constants_start: u8;
    static __data_start: u8;
    static mut __page_tables: u8;
    static __stack_guard: u8;
    static __end: u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_decides_on_nine_bits() {
        let address = 0x3812_3456_7000;
        assert_eq!([39, 30, 21].map(|bit| index(address, bit)), [112, 72, 418]);
    }

    #[test]
    fn nothing_is_to_do_below_4_gib_and_nothing_can_be_done_far_above() {
        assert_eq!(map_device(0xfeb0_0000, 512), Some(()));
        assert_eq!(map_device(1 << 47, 1), None);
        assert_eq!(map_device(u64::MAX, 512), None);
    }

    #[test]
    fn nothing_is_both_written_and_executed_and_two_pages_are_not_there() {
        let layout = Layout {
            code: 0x10_0000..0x10_3000,
            constants: 0x10_3000..0x10_5000,
            guard: 0x10_8000..0x10_9000,
            end: 0x12_9000,
        };
        assert_eq!(layout.page(0), 0);
        assert_eq!(layout.page(0x10_2000), 0x10_2001);
        assert_eq!(layout.page(0x10_3000), 0x10_3001 | NO_EXECUTE);
        assert_eq!(layout.page(0x10_5000), 0x10_5003 | NO_EXECUTE);
        assert_eq!(layout.page(0x10_8000), 0);
        assert_eq!(layout.page(0x10_9000), 0x10_9003 | NO_EXECUTE);
        assert_eq!(layout.page(0x9000), 0x9003 | NO_EXECUTE);
    }
}
