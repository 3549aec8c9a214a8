//! Copying, filling and comparing with SSE2.
//!
//! The loops are written in assembly so that the compiler does not recognise what they do and make them call themselves.

use core::arch::asm;
use core::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_set1_epi8, _mm_storeu_si128};
use core::ffi::c_int;

/// Copies `len` bytes; the two places may overlap.
///
/// # Safety
/// `from` can be read and `to` be written for `len` bytes.
#[inline]
pub(super) unsafe fn copy(to: *mut u8, from: *const u8, len: usize) {
    // Everything is read before anything is written, or the loops run in the direction that does not overtake itself.
    // SAFETY: every access lies in the first or last so many of the `len` bytes, which by the branch are there.
    unsafe {
        match len {
            0 => {}
            1 => to.write(from.read()),
            2..4 => {
                let head = from.cast::<u16>().read_unaligned();
                let tail = from.add(len - 2).cast::<u16>().read_unaligned();
                to.cast::<u16>().write_unaligned(head);
                to.add(len - 2).cast::<u16>().write_unaligned(tail);
            }
            4..8 => {
                let head = from.cast::<u32>().read_unaligned();
                let tail = from.add(len - 4).cast::<u32>().read_unaligned();
                to.cast::<u32>().write_unaligned(head);
                to.add(len - 4).cast::<u32>().write_unaligned(tail);
            }
            8..16 => {
                let head = from.cast::<u64>().read_unaligned();
                let tail = from.add(len - 8).cast::<u64>().read_unaligned();
                to.cast::<u64>().write_unaligned(head);
                to.add(len - 8).cast::<u64>().write_unaligned(tail);
            }
            16..=32 => {
                let (head, tail) = (load(from), load(from.add(len - 16)));
                store(to, head);
                store(to.add(len - 16), tail);
            }
            33..=64 => {
                let (a, b) = (load(from), load(from.add(16)));
                let (c, d) = (load(from.add(len - 32)), load(from.add(len - 16)));
                store(to, a);
                store(to.add(16), b);
                store(to.add(len - 32), c);
                store(to.add(len - 16), d);
            }
            _ if to.addr().wrapping_sub(from.addr()) >= len => forwards(to, from, len),
            _ => backwards(to, from, len),
        }
    }
}

/// # Safety
/// As [`copy`], for more than 64 bytes, and `to` is not inside what lies from `from` on.
unsafe fn forwards(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the last 64 bytes are read first and written last, so the loop may run over whole blocks: it ends before
    // `len - 64` is passed by a block, and never writes what it has yet to read.
    unsafe {
        let end = from.add(len - 64);
        let tail = [load(end), load(end.add(16)), load(end.add(32)), load(end.add(48))];
        let last = to.add(len - 64);
        asm!(
            "2:",
            "movups {a}, [{from}]",
            "movups {b}, [{from} + 16]",
            "movups {c}, [{from} + 32]",
            "movups {d}, [{from} + 48]",
            "movups [{to}], {a}",
            "movups [{to} + 16], {b}",
            "movups [{to} + 32], {c}",
            "movups [{to} + 48], {d}",
            "add {from}, 64",
            "add {to}, 64",
            "cmp {from}, {end}",
            "jb 2b",
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            end = in(reg) end,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack),
        );
        store(last, tail[0]);
        store(last.add(16), tail[1]);
        store(last.add(32), tail[2]);
        store(last.add(48), tail[3]);
    }
}

/// # Safety
/// As [`copy`], for more than 64 bytes.
unsafe fn backwards(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the mirror image of `forwards`: the first 64 bytes are read first and written last.
    unsafe {
        let head = [load(from), load(from.add(16)), load(from.add(32)), load(from.add(48))];
        asm!(
            "2:",
            "movups {a}, [{from} + {len} - 16]",
            "movups {b}, [{from} + {len} - 32]",
            "movups {c}, [{from} + {len} - 48]",
            "movups {d}, [{from} + {len} - 64]",
            "movups [{to} + {len} - 16], {a}",
            "movups [{to} + {len} - 32], {b}",
            "movups [{to} + {len} - 48], {c}",
            "movups [{to} + {len} - 64], {d}",
            "sub {len}, 64",
            "cmp {len}, 64",
            "ja 2b",
            from = in(reg) from,
            to = in(reg) to,
            len = inout(reg) len => _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack),
        );
        store(to, head[0]);
        store(to.add(16), head[1]);
        store(to.add(32), head[2]);
        store(to.add(48), head[3]);
    }
}

/// Sets `len` bytes to `byte`.
///
/// # Safety
/// `to` can be written for `len` bytes.
#[inline]
pub(super) unsafe fn fill(to: *mut u8, byte: u8, len: usize) {
    let word = u64::from(byte) * 0x0101_0101_0101_0101;
    // SAFETY: as in `copy`.
    unsafe {
        match len {
            0 => {}
            1 => to.write(byte),
            2..4 => {
                to.cast::<u16>().write_unaligned(word as u16);
                to.add(len - 2).cast::<u16>().write_unaligned(word as u16);
            }
            4..8 => {
                to.cast::<u32>().write_unaligned(word as u32);
                to.add(len - 4).cast::<u32>().write_unaligned(word as u32);
            }
            8..16 => {
                to.cast::<u64>().write_unaligned(word);
                to.add(len - 8).cast::<u64>().write_unaligned(word);
            }
            _ => {
                let vector = _mm_set1_epi8(byte as i8);
                let last = to.add(len - 16);
                store(last, vector);
                asm!(
                    "2:",
                    "movups [{to}], {vector}",
                    "add {to}, 16",
                    "cmp {to}, {last}",
                    "jb 2b",
                    to = inout(reg) to => _,
                    last = in(reg) last,
                    vector = in(xmm_reg) vector,
                    options(nostack),
                );
            }
        }
    }
}

/// Compares `len` bytes as `memcmp` does.
///
/// # Safety
/// Both can be read for `len` bytes.
#[inline]
pub(super) unsafe fn compare(a: *const u8, b: *const u8, len: usize) -> c_int {
    let (mut at, mut order) = (0, 0);
    while len - at >= 8 {
        // SAFETY: eight bytes are left.
        let (x, y) = unsafe { (word(a.add(at)), word(b.add(at))) };
        if x != y {
            order = c_int::from(x.swap_bytes() > y.swap_bytes()) * 2 - 1;
            break;
        }
        at += 8;
    }
    while order == 0 && at < len {
        // SAFETY: `at` is below `len`. Volatile: otherwise the loop might become a call to `bcmp`.
        order = unsafe { c_int::from(a.add(at).read_volatile()) - c_int::from(b.add(at).read_volatile()) };
        at += 1;
    }
    order
}

/// # Safety
/// `at` can be read for eight bytes.
unsafe fn word(at: *const u8) -> u64 {
    let word: u64;
    // SAFETY: reads the eight bytes.
    unsafe { asm!("mov {}, [{}]", out(reg) word, in(reg) at, options(nostack, readonly, preserves_flags)) };
    word
}

/// # Safety
/// `from` can be read for 16 bytes.
unsafe fn load(from: *const u8) -> __m128i {
    // SAFETY: the caller's condition; SSE2 is part of x86-64.
    unsafe { _mm_loadu_si128(from.cast()) }
}

/// # Safety
/// `to` can be written for 16 bytes.
unsafe fn store(to: *mut u8, vector: __m128i) {
    // SAFETY: the caller's condition; SSE2 is part of x86-64.
    unsafe { _mm_storeu_si128(to.cast(), vector) }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|n| (n * 7 + n / 251) as u8).collect()
    }

    #[test]
    fn every_length_is_copied_and_nothing_beside_it() {
        for len in 0..300 {
            for (to, from) in [(300, 8), (8, 300), (301, 3), (7, 302)] {
                let mut memory = bytes(700);
                let mut expected = memory.clone();
                expected.copy_within(from..from + len, to);
                // SAFETY: both stretches lie in `memory`.
                unsafe { copy(memory.as_mut_ptr().add(to), memory.as_ptr().add(from), len) };
                assert_eq!(memory, expected, "{len} bytes from {from} to {to}");
            }
        }
    }

    #[test]
    fn stretches_that_overlap_are_copied_as_if_at_once() {
        for len in [1, 5, 16, 31, 33, 64, 65, 66, 127, 128, 129, 200, 1_000] {
            for distance in [0, 1, 2, 15, 16, 17, 63, 64, 65, 100] {
                for (to, from) in [(50, 50 + distance), (50 + distance, 50)] {
                    let mut memory = bytes(1_300);
                    let mut expected = memory.clone();
                    expected.copy_within(from..from + len, to);
                    let start = memory.as_mut_ptr();
                    // SAFETY: both stretches lie in `memory`.
                    unsafe { copy(start.add(to), start.add(from), len) };
                    assert_eq!(memory, expected, "{len} bytes from {from} to {to}");
                }
            }
        }
    }

    #[test]
    fn every_length_is_filled_and_nothing_beside_it() {
        for len in 0..300 {
            let mut memory = bytes(400);
            let mut expected = memory.clone();
            expected[50..50 + len].fill(0xa5);
            // SAFETY: it lies in `memory`.
            unsafe { fill(memory.as_mut_ptr().add(50), 0xa5, len) };
            assert_eq!(memory, expected, "{len} bytes");
        }
    }

    #[test]
    fn the_first_byte_that_differs_decides() {
        for len in 0..70 {
            let a = bytes(len);
            // SAFETY: both have `len` bytes.
            assert_eq!(unsafe { compare(a.as_ptr(), a.clone().as_ptr(), len) }, 0);
            for at in 0..len {
                for change in [1_u8, 0x80] {
                    let mut b = a.clone();
                    b[at] ^= change;
                    // What comes later does not matter.
                    b[at + 1..].fill(0);
                    // SAFETY: both have `len` bytes.
                    let order = unsafe { compare(a.as_ptr(), b.as_ptr(), len) };
                    assert_eq!(order.signum() < 0, a < b, "{len} bytes, {at} differs");
                }
            }
        }
    }
}
