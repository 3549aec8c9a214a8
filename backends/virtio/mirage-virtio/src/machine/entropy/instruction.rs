//! The processor's entropy.

use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};

/// The instruction that gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// The source itself.
    Seed,
    /// A generator that the processor seeds from it.
    Random,
}

impl Instruction {
    /// The better one that the processor has.
    pub(super) fn find() -> Option<Self> {
        if __cpuid(0).eax >= 7 && __cpuid_count(7, 0).ebx & 1 << 18 != 0 {
            Some(Self::Seed)
        } else {
            (__cpuid(1).ecx & 1 << 30 != 0).then_some(Self::Random)
        }
    }

    /// Combines `bytes` with as many of the processor's. `false` when it had not enough; then a part is combined.
    pub(super) fn mix_into(self, bytes: &mut [u8]) -> bool {
        bytes.chunks_mut(8).all(|chunk| {
            let word = self.word();
            for (byte, random) in chunk.iter_mut().zip(word.unwrap_or_default().to_le_bytes()) {
                *byte ^= random;
            }
            word.is_some()
        })
    }

    /// Eight bytes; `None` when the source stays empty.
    fn word(self) -> Option<u64> {
        (0..TRIES).find_map(|_| {
            let (word, good): (u64, u8);
            // SAFETY: the processor has the instruction, as `find` saw. It only changes the registers named.
            unsafe {
                match self {
                    Self::Seed => {
                        asm!("rdseed {}", "setc {}", out(reg) word, out(reg_byte) good, options(nomem, nostack));
                    }
                    Self::Random => {
                        asm!("rdrand {}", "setc {}", out(reg) word, out(reg_byte) good, options(nomem, nostack));
                    }
                }
            }
            if good == 0 {
                core::hint::spin_loop();
            }
            (good == 1).then_some(word)
        })
    }
}

/// All processors share one source, so it may be empty for a while.
const TRIES: u32 = 10_000;
