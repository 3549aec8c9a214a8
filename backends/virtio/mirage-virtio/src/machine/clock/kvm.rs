//! KVM's clock: the host keeps in our memory what the time stamp counter has to be multiplied by (Linux,
//! `Documentation/virt/kvm/x86/msr.rst`).

use core::cell::UnsafeCell;
use core::sync::atomic::{Ordering, fence};

use super::hypervisor::Hypervisor;
use crate::machine::cpu::instruction::time_stamp;
use crate::machine::cpu::msr;
use crate::machine::single::Single;

/// KVM's clock, with a place in memory where the host writes.
#[derive(Debug)]
pub(super) struct KvmClock(());

impl KvmClock {
    /// Starts it, where it is offered.
    pub(super) fn find() -> Option<Self> {
        if Hypervisor::find()?.kvm_features() & CLOCK == 0 {
            return None;
        }
        // SAFETY: KVM offers the register, and the page is the host's from now on.
        unsafe { msr::write(SYSTEM_TIME, PAGE.get().addr() as u64 | 1) };
        Some(Self(()))
    }

    /// Nanoseconds since the start of the machine.
    pub(super) fn now(&self) -> u64 {
        loop {
            let time = read();
            let now = time.nanos_at(time_stamp());
            // The host may have written while we read.
            if time.version == read().version {
                return now;
            }
        }
    }

    /// What the time stamp counter will show at `nanos`.
    pub(super) fn counter_at(&self, nanos: u64) -> u64 {
        read().counter_at(nanos)
    }

    /// The time of day at the start of the machine, in nanoseconds since 1970.
    pub(super) fn wall_at_start(&self) -> Option<u64> {
        // SAFETY: KVM offers the register with the other, and writes 12 bytes before the next instruction.
        let [_, seconds, nanos] = unsafe {
            msr::write(WALL_CLOCK, WALL.get().addr() as u64);
            WALL.get().read_volatile()
        };
        u64::from(seconds).checked_mul(1_000_000_000)?.checked_add(nanos.into())
    }
}

/// What the host says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Time {
    /// Odd while the host writes.
    version: u32,
    /// The time stamp counter when it was `nanos`.
    stamp: u64,
    nanos: u64,
    /// Nanoseconds a tick, in 2⁻³², after `shift`.
    multiplier: u32,
    /// By how many bits a number of ticks is first shifted to the left.
    shift: i8,
}

impl Time {
    fn parse(words: [u64; 4]) -> Self {
        Self {
            version: words[0] as u32,
            stamp: words[1],
            nanos: words[2],
            multiplier: words[3] as u32,
            shift: (words[3] >> 32) as i8,
        }
    }

    fn nanos_at(&self, counter: u64) -> u64 {
        let ticks = u128::from(counter.saturating_sub(self.stamp));
        let shifted = self.shifted(ticks, self.shift >= 0);
        self.nanos.wrapping_add((shifted.wrapping_mul(self.multiplier.into()) >> 32) as u64)
    }

    fn shifted(&self, number: u128, left: bool) -> u128 {
        let bits = self.shift.unsigned_abs().into();
        if left { number.checked_shl(bits) } else { number.checked_shr(bits) }.unwrap_or(0)
    }

    fn counter_at(&self, nanos: u64) -> u64 {
        let later = u128::from(nanos.saturating_sub(self.nanos)) << 32;
        let shifted = later / u128::from(self.multiplier.max(1));
        let ticks = self.shifted(shifted, self.shift < 0);
        self.stamp.saturating_add(u64::try_from(ticks).unwrap_or(u64::MAX))
    }
}

/// What the host says now, whole.
fn read() -> Time {
    loop {
        // SAFETY: the page is there; the host writes it, so it is read as it is at this moment.
        let time = Time::parse(unsafe { PAGE.get().cast::<[u64; 4]>().read_volatile() });
        fence(Ordering::Acquire);
        // SAFETY: as above.
        let version = unsafe { PAGE.get().cast::<u32>().read_volatile() };
        if time.version.is_multiple_of(2) && time.version == version {
            return time;
        }
    }
}

/// Room for what the host writes, that crosses no page.
#[derive(Debug)]
#[repr(C, align(64))]
struct Page([u64; 8]);

// SAFETY: only the one processor and the host use it, and reads are volatile.
static PAGE: Single<UnsafeCell<Page>> = unsafe { Single::new(UnsafeCell::new(Page([0; 8]))) };
// SAFETY: as above.
static WALL: Single<UnsafeCell<[u32; 3]>> = unsafe { Single::new(UnsafeCell::new([0; 3])) };

/// The feature by which the registers below are offered.
const CLOCK: u32 = 1 << 3;
const WALL_CLOCK: u32 = 0x4b56_4d00;
const SYSTEM_TIME: u32 = 0x4b56_4d01;

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 GHz: a third of a nanosecond a tick.
    fn three_gigahertz(shift: i8) -> Time {
        let multiplier = (2_f64.powi(32 - i32::from(shift)) / 3.0).round() as u32;
        Time { version: 2, stamp: 1_000_000, nanos: 5_000, multiplier, shift }
    }

    #[test]
    fn ticks_become_nanoseconds_whatever_the_shift() {
        for shift in [-1, 0, 5] {
            let time = three_gigahertz(shift);
            let nanos = time.nanos_at(1_000_000 + 3_000_000_000);
            assert!(nanos.abs_diff(5_000 + 1_000_000_000) < 100, "{shift} {nanos}");
        }
    }

    #[test]
    fn and_back() {
        for shift in [-1, 0, 5] {
            let time = three_gigahertz(shift);
            let counter = time.counter_at(time.nanos_at(7_777_777_777));
            assert!(counter.abs_diff(7_777_777_777) < 400, "{shift} {counter}");
        }
    }

    #[test]
    fn a_counter_before_the_hosts_stamp_is_at_it() {
        assert_eq!(three_gigahertz(0).nanos_at(0), 5_000);
        assert_eq!(three_gigahertz(0).counter_at(0), 1_000_000);
    }

    #[test]
    fn nothing_the_host_says_overflows() {
        let time = Time { version: 0, stamp: 0, nanos: u64::MAX, multiplier: u32::MAX, shift: i8::MIN };
        time.nanos_at(u64::MAX);
        Time { shift: i8::MAX, ..time }.nanos_at(u64::MAX);
        Time { shift: i8::MIN, nanos: 0, multiplier: 0, ..time }.counter_at(u64::MAX);
        Time { shift: i8::MAX, nanos: 0, multiplier: 0, ..time }.counter_at(u64::MAX);
    }

    #[test]
    fn the_fields_lie_where_kvm_puts_them() {
        let mut bytes = [0_u8; 32];
        bytes[0..4].copy_from_slice(&4_u32.to_le_bytes());
        bytes[8..16].copy_from_slice(&0x1122_u64.to_le_bytes());
        bytes[16..24].copy_from_slice(&0x3344_u64.to_le_bytes());
        bytes[24..28].copy_from_slice(&0x5566_u32.to_le_bytes());
        bytes[28] = (-3_i8).cast_unsigned();
        bytes[29] = 1;
        let words =
            core::array::from_fn(|word| u64::from_le_bytes(core::array::from_fn(|byte| bytes[word * 8 + byte])));
        let time = Time { version: 4, stamp: 0x1122, nanos: 0x3344, multiplier: 0x5566, shift: -3 };
        assert_eq!(Time::parse(words), time);
    }
}
