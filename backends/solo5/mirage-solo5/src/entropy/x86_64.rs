//! `RDSEED` and `RDRAND`.

use core::arch::x86_64::{__cpuid, __cpuid_count, _rdrand64_step, _rdseed64_step};

/// Fills `bytes`; `None` when the processor has no such instruction or the generator behind it fails.
pub(super) fn fill(bytes: &mut [u8]) -> Option<()> {
    let has = Instructions::of_this_processor();
    for piece in bytes.chunks_mut(8) {
        let word = has.word()?.to_le_bytes();
        piece.copy_from_slice(word.get(..piece.len())?);
    }
    Some(())
}

struct Instructions {
    rdseed: bool,
    rdrand: bool,
}

impl Instructions {
    fn of_this_processor() -> Self {
        let most = __cpuid(0).eax;
        Self {
            // Intel's manual, volume 2A, CPUID: leaf 7, EBX bit 18, and leaf 1, ECX bit 30.
            rdseed: most >= 7 && __cpuid_count(7, 0).ebx >> 18 & 1 == 1,
            rdrand: most >= 1 && __cpuid(1).ecx >> 30 & 1 == 1,
        }
    }

    fn word(&self) -> Option<u64> {
        // SAFETY: the processor said that it has the instruction.
        let seed = || unsafe { self.rdseed.then(|| seed()).flatten() };
        // SAFETY: the same.
        let random = || unsafe { self.rdrand.then(|| random()).flatten() };
        seed().or_else(random)
    }
}

/// Generators that broke on resume say yes and give all ones or all zeroes; as a word of luck that is 2⁻⁶³ of all.
fn is_plausible(word: u64) -> bool {
    word != 0 && word != u64::MAX
}

/// `RDSEED` runs dry when all processors ask it at once; it fills up within microseconds.
///
/// # Safety
/// The processor has the instruction.
#[target_feature(enable = "rdseed")]
unsafe fn seed() -> Option<u64> {
    for _ in 0..SEED_TRIES {
        let mut word = 0;
        if _rdseed64_step(&mut word) == 1 && is_plausible(word) {
            return Some(word);
        }
        core::hint::spin_loop();
    }
    None
}

/// # Safety
/// The processor has the instruction.
#[target_feature(enable = "rdrand")]
unsafe fn random() -> Option<u64> {
    for _ in 0..RANDOM_TRIES {
        let mut word = 0;
        if _rdrand64_step(&mut word) == 1 && is_plausible(word) {
            return Some(word);
        }
    }
    None
}

const SEED_TRIES: u32 = 128;
/// "Intel Digital Random Number Generator (DRNG) Software Implementation Guide" §5.2.1: ten, or it is broken.
const RANDOM_TRIES: u32 = 10;
