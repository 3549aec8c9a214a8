//! Every twin agrees with the definition, at every alignment and length.

extern crate alloc;

use alloc::vec::Vec;

use proptest::prelude::*;

use super::{avx2, compact, detect, portable, sse2};

/// RFC 1071 §1 word for word, with a sum as wide as it needs.
fn definition(bytes: &[u8]) -> u16 {
    let mut total: u64 = 0;
    for word in bytes.chunks(2) {
        total += u64::from(word[0]) << 8 | u64::from(word.get(1).copied().unwrap_or(0));
    }
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

/// A sum of little-endian words, side by side, as a sum of big-endian words.
fn folded(words: u64) -> u16 {
    super::fold(words).swap_bytes()
}

fn agree(bytes: &[u8]) {
    let expected = definition(bytes);
    let mut copy = alloc::vec![0x55; bytes.len()];
    assert_eq!(folded(portable::sum(bytes)), expected, "portable, {} bytes", bytes.len());
    assert_eq!(folded(portable::copy_and_sum(&mut copy, bytes)), expected);
    assert_eq!(copy, bytes);
    copy.fill(0x55);
    assert_eq!(folded(compact::sum(bytes)), expected, "compact, {} bytes", bytes.len());
    assert_eq!(folded(compact::copy_and_sum(&mut copy, bytes)), expected);
    assert_eq!(copy, bytes);
    copy.fill(0x55);
    // SAFETY: this file is compiled only where all code may use SSE2.
    let (sum, copied) = unsafe { (sse2::sum(bytes), sse2::copy_and_sum(&mut copy, bytes)) };
    assert_eq!(folded(sum), expected, "SSE2, {} bytes", bytes.len());
    assert_eq!(folded(copied), expected);
    assert_eq!(copy, bytes);
    if detect::avx2() {
        copy.fill(0x55);
        // SAFETY: AVX2 is there.
        let (sum, copied) = unsafe { (avx2::sum(bytes), avx2::copy_and_sum(&mut copy, bytes)) };
        assert_eq!(folded(sum), expected, "AVX2, {} bytes", bytes.len());
        assert_eq!(folded(copied), expected);
        assert_eq!(copy, bytes);
    }
    assert_eq!(folded(super::sum(bytes)), expected);
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

#[test]
fn all_twins_agree_at_every_length_and_alignment() {
    let alignments = if cfg!(miri) { 2 } else { 32 };
    let bytes = noise(LONGEST + alignments);
    for len in 0..=LONGEST {
        // All alignments for short ones, one for each long one: the loops are the same.
        let starts = if len < 300 { 0..alignments } else { len % alignments..len % alignments + 1 };
        for start in starts {
            agree(&bytes[start..start + len]);
        }
    }
}

#[test]
fn a_copy_is_the_same_at_every_length_and_alignment() {
    let bytes = noise(LONGEST + 64);
    for len in (0..=LONGEST).step_by(if cfg!(miri) { 41 } else { 1 }) {
        let (from, to) = (len % 33, len % 31);
        for copy in [super::copy, portable::copy, compact::copy] {
            let mut copied = alloc::vec![0x55; LONGEST + 64];
            copy(&mut copied[to..to + len], &bytes[from..from + len]);
            assert_eq!(copied[to..to + len], bytes[from..from + len], "{len} bytes");
            assert!(
                copied[..to].iter().chain(&copied[to + len..]).all(|byte| *byte == 0x55),
                "{len} bytes and no more"
            );
        }
    }
}

#[test]
fn carries_are_not_lost() {
    for len in [1, 2, 3, 8, 63, 64, 65, 1460, 9000] {
        agree(&alloc::vec![0xff; len]);
        agree(&alloc::vec![0; len]);
    }
    if !cfg!(miri) {
        for byte in [0, 0x7f, 0x80, 0xff] {
            // The most that the twins take at once.
            agree(&alloc::vec![byte; 512 << 10]);
            agree(&alloc::vec![byte; (512 << 10) - 1]);
        }
    }
}

#[test]
fn what_is_longer_than_the_twins_take_is_summed_in_parts() {
    if cfg!(miri) {
        return;
    }
    for len in [512 << 10, (512 << 10) + 1, 3 << 20, (3 << 20) + 4097] {
        let bytes = noise(len);
        let mut copy = alloc::vec![0x55; len];
        assert_eq!(folded(super::sum(&bytes)), definition(&bytes), "{len} bytes");
        assert_eq!(folded(super::copy_and_sum(&mut copy, &bytes)), definition(&bytes), "{len} bytes");
        assert_eq!(copy, bytes);
    }
}

/// Miri takes minutes for what takes a processor a moment.
const CASES: u32 = if cfg!(miri) { 4 } else { 512 };
const LONGEST: usize = if cfg!(miri) { 200 } else { 4096 };

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_twins_agree_on_any_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..LONGEST), start in 0_usize..64
    ) {
        agree(bytes.get(start..).unwrap_or(&bytes));
    }
}
