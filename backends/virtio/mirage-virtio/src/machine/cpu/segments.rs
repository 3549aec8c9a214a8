//! The segments: what little of them 64 bits have left, and the stacks of interrupts.

use core::arch::asm;
use core::cell::UnsafeCell;

use crate::machine::single::Single;

/// The selector of 64-bit code.
pub(crate) const CODE: u16 = 8;
/// The selector of data.
pub(crate) const DATA: u16 = 16;
/// The selector of the task segment.
const TASK: u16 = 24;

/// The stacks that gates choose from, by the number that a gate has for them. A gate without one would overwrite the red
/// zone: 128 bytes below the stack pointer which the compiler uses without moving it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    Interrupts = 1,
    Faults = 2,
    /// For what may happen while a fault is handled.
    Emergencies = 3,
}

/// The table of segments: nothing, code, data, and two entries for the task segment.
type Segments = [u64; 5];

// SAFETY: only the one processor uses it.
static SEGMENTS: Single<UnsafeCell<Segments>> =
    unsafe { Single::new(UnsafeCell::new([0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0, 0])) };

/// What `lgdt` and `lidt` take.
#[derive(Debug)]
#[repr(C, packed)]
pub(crate) struct Pointer {
    pub(crate) limit: u16,
    pub(crate) address: *const (),
}

/// Where the segments are.
// SAFETY: only the one processor uses it, and it never changes.
pub(crate) static POINTER: Single<Pointer> = unsafe {
    Single::new(Pointer { limit: (size_of::<Segments>() - 1) as u16, address: (&raw const SEGMENTS).cast() })
};

/// The task segment: of it only the stacks are used.
#[derive(Debug)]
#[repr(C, packed(4))]
struct Task {
    reserved: u32,
    privileges: [u64; 3],
    reserved_too: u64,
    stacks: [u64; 7],
    reserved_as_well: u64,
    reserved_still: u16,
    ports: u16,
}

const NO_TASK: Task = Task {
    reserved: 0,
    privileges: [0; 3],
    reserved_too: 0,
    stacks: [0; 7],
    reserved_as_well: 0,
    reserved_still: 0,
    // Behind the end: no map of ports.
    ports: size_of::<Task>() as u16,
};

// SAFETY: only the one processor uses it.
static TASK_SEGMENT: Single<UnsafeCell<Task>> = unsafe { Single::new(UnsafeCell::new(NO_TASK)) };

#[derive(Debug)]
#[repr(C, align(16))]
struct Room<const BYTES: usize>([u8; BYTES]);

/// The room of the stacks.
#[derive(Debug)]
struct Rooms {
    /// The handlers, in assembly, push a few registers.
    interrupts: Room<512>,
    faults: Room<8192>,
    emergencies: Room<8192>,
}

// SAFETY: only the one processor uses it.
static ROOMS: Single<UnsafeCell<Rooms>> = unsafe {
    Single::new(UnsafeCell::new(Rooms { interrupts: Room([0; _]), faults: Room([0; _]), emergencies: Room([0; _]) }))
};

/// Gives interrupts their stacks.
pub(crate) fn load() {
    let rooms = ROOMS.get();
    let task = TASK_SEGMENT.get();
    let descriptor = task_descriptor(task.addr() as u64, (size_of::<Task>() - 1) as u16);
    // SAFETY: nothing else uses these statics: the processor looks at them only after `ltr`. The descriptor is that of a task
    // segment that lives for ever, with stacks that nothing else uses.
    unsafe {
        (*task).stacks = [
            (&raw mut (*rooms).interrupts).add(1).addr() as u64,
            (&raw mut (*rooms).faults).add(1).addr() as u64,
            (&raw mut (*rooms).emergencies).add(1).addr() as u64,
            0,
            0,
            0,
            0,
        ];
        (&mut *SEGMENTS.get())[usize::from(TASK) / 8..].copy_from_slice(&descriptor);
        asm!("ltr {task:x}", task = in(reg) TASK, options(nostack, preserves_flags));
    }
}

/// The descriptor of an available 64-bit task segment (Intel SDM volume 3 §8.2.3).
const fn task_descriptor(address: u64, limit: u16) -> [u64; 2] {
    let low = limit as u64 | (address & 0xff_ffff) << 16 | 0x89 << 40 | (address >> 24 & 0xff) << 56;
    [low, address >> 32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_task_segment_is_scattered_as_the_processor_wants_it() {
        assert_eq!(task_descriptor(0x1234_5678_9abc_def0, 0x67), [0x9a00_89bc_def0_0067, 0x1234_5678]);
    }

    #[test]
    fn the_task_segment_has_the_layout_of_the_processor() {
        assert_eq!(size_of::<Task>(), 104);
        assert_eq!(core::mem::offset_of!(Task, stacks), 36);
        assert_eq!(core::mem::offset_of!(Task, ports), 102);
    }

    #[test]
    fn what_is_loaded_is_ten_bytes() {
        assert_eq!(size_of::<Pointer>(), 10);
    }
}
