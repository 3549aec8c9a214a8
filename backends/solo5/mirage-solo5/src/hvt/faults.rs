//! What happens when the processor finds a fault: it is told, and the machine ends.
//!
//! A tender starts the machine without any table for faults, and with segments whose table is not mapped, so the
//! processor could only reset. No interrupt ever comes: whatever arrives here is a fault of the image, and the last
//! thing it does.

use core::arch::{asm, naked_asm};
use core::cell::UnsafeCell;

use crate::hvt::{hypercall, port};

/// What the processor is told at the start, and reads later.
struct Tables(UnsafeCell<Contents>);

// SAFETY: the machine has one processor; it is written once, before anything else runs.
unsafe impl Sync for Tables {}

#[repr(C, align(16))]
struct Contents {
    /// No segment, code, data, and two places for the task state.
    segments: [u64; 5],
    task: Task,
    gates: [[u64; 2]; FAULTS],
    /// A stack of its own: the image's may be what is broken.
    stack: [u8; STACK],
}

/// The task state of 64-bit mode: of use only for the stack that gates name.
#[repr(C, packed(4))]
struct Task {
    _reserved: u32,
    _privileged: [u64; 4],
    /// The stacks 1 to 7 for gates.
    stacks: [u64; 7],
    _reserved_too: [u16; 5],
    io_map: u16,
}

const _: () = assert!(size_of::<Task>() == 104);

/// What `lgdt` and `lidt` take.
#[repr(C, packed)]
struct Pointer {
    limit: u16,
    base: u64,
}

static TABLES: Tables = Tables(UnsafeCell::new(Contents {
    segments: [0; 5],
    task: Task { _reserved: 0, _privileged: [0; 4], stacks: [0; 7], _reserved_too: [0; 5], io_map: 0 },
    gates: [[0; 2]; FAULTS],
    stack: [0; STACK],
}));

/// Has faults told instead of a reset.
///
/// # Safety
/// The caller owns the processor: it runs in ring 0, on the flat segments that a tender sets up, and nobody else relies on
/// their tables.
pub(super) unsafe fn catch() {
    let tables = TABLES.0.get();
    let task = (&raw const TABLES).addr() as u64 + core::mem::offset_of!(Contents, task) as u64;
    let stack = (&raw const TABLES).addr() as u64 + core::mem::offset_of!(Contents, stack) as u64;
    // The table begins at the first address after the function's own that is a multiple of 8.
    let stubs = (stubs as *const () as u64 + 7) & !7;
    // SAFETY: nobody else reads or writes it: by contract this runs once, and the processor does not know it yet.
    let contents = unsafe { &mut *tables };
    contents.segments = segments(task);
    contents.task.stacks = [stack + STACK as u64, 0, 0, 0, 0, 0, 0];
    contents.task.io_map = size_of::<Task>() as u16;
    for (gate, number) in contents.gates.iter_mut().zip(0..) {
        *gate = self::gate(stubs + 8 * number);
    }
    let segments = Pointer {
        limit: (size_of::<[u64; 5]>() - 1) as u16,
        base: (&raw const contents.segments).expose_provenance() as u64,
    };
    let gates = Pointer {
        limit: (size_of::<[[u64; 2]; FAULTS]>() - 1) as u16,
        base: (&raw const contents.gates).expose_provenance() as u64,
    };
    // SAFETY: the tables are filled and stay where they are; code and data segments are flat like those before, so
    // that nothing changes for the code that runs.
    unsafe {
        asm!(
            "lgdt [{segments}]",
            "push {code}",
            "lea {scratch}, [rip + 2f]",
            "push {scratch}",
            "retfq",
            "2:",
            "mov ss, {data:x}",
            "mov ds, {data:x}",
            "mov es, {data:x}",
            "ltr {task:x}",
            "lidt [{gates}]",
            segments = in(reg) &raw const segments,
            gates = in(reg) &raw const gates,
            code = const CODE,
            data = in(reg) u64::from(DATA),
            task = in(reg) u64::from(TASK),
            scratch = out(reg) _,
        );
    }
}

/// Flat code and data of ring 0, and a task state at this address. Intel's manual, volume 3, §3.4.5 and §8.2.3.
const fn segments(task: u64) -> [u64; 5] {
    let limit = size_of::<Task>() as u64 - 1;
    let low = limit | (task & 0xff_ffff) << 16 | 0x89 << 40 | (task >> 24 & 0xff) << 56;
    [0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, low, task >> 32]
}

/// An interrupt gate to this address, on the first of the task's stacks. Intel's manual, volume 3, §6.14.1.
const fn gate(to: u64) -> [u64; 2] {
    [to & 0xffff | (CODE as u64) << 16 | 1 << 32 | 0x8e << 40 | (to >> 16 & 0xffff) << 48, to >> 32]
}

/// One call of 5 bytes every 8 bytes for each fault: the address that it leaves on the stack tells which.
#[unsafe(naked)]
extern "C" fn stubs() {
    naked_asm!(
        ".balign 8",
        "3:",
        ".rept 32",
        "call 2f",
        ".balign 8",
        ".endr",
        "2:",
        "pop rdi",
        "lea rax, [rip + 3b]",
        "sub rdi, rax",
        "shr rdi, 3",
        "mov rsi, rsp",
        "and rsp, -16",
        "call {told}",
        "ud2",
        told = sym told,
    )
}

/// Tells the fault and ends the machine.
///
/// `frame` is what the processor pushed: an error code with some faults, then the address of the instruction.
extern "C" fn told(number: u64, frame: *const [u64; 2]) -> ! {
    // SAFETY: the processor pushed more than two words.
    let [first, second] = unsafe { frame.read() };
    let at = if WITH_CODE >> number & 1 == 1 { second } else { first };
    hypercall::puts(&message(number as u8, at), port::call);
    loop {
        hypercall::halt(FAULT, port::call);
    }
}

fn message(number: u8, at: u64) -> [u8; MESSAGE.len()] {
    let mut message = *MESSAGE;
    let (text, digits) = message.split_at_mut(MESSAGE.len() - 17);
    if let Some([tens, ones]) = text.get_mut(6..8).and_then(|text| text.as_mut_array()) {
        (*tens, *ones) = (b'0' + number / 10 % 10, b'0' + number % 10);
    }
    for (digit, shift) in digits.iter_mut().zip((0..64).step_by(4).rev()) {
        let value = (at >> shift & 0xf) as u8;
        *digit = if value < 10 { b'0' + value } else { b'a' - 10 + value };
    }
    message
}

const MESSAGE: &[u8; 31] = b"fault 00 at 0x0000000000000000\n";
/// The processor's own faults.
const FAULTS: usize = 32;
/// The faults that come with an error code. Intel's manual, volume 3, table 6-1.
const WITH_CODE: u32 = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30;
const STACK: usize = 4_096;
const CODE: u16 = 0x08;
const DATA: u16 = 0x10;
const TASK: u16 = 0x18;
/// The exit code of a machine that broke.
const FAULT: u8 = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_by_its_number_and_its_place() {
        assert_eq!(&message(6, 0x10_0a43), b"fault 06 at 0x0000000000100a43\n");
        assert_eq!(&message(14, u64::MAX), b"fault 14 at 0xffffffffffffffff\n");
    }

    #[test]
    fn the_address_of_the_task_is_spread_over_its_segment() {
        let [none, code, data, low, high] = segments(0x1234_5678_9abc_def0);
        assert_eq!((none, code, data), (0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff));
        assert_eq!((low, high), (0x9a00_89bc_def0_0067, 0x1234_5678));
    }

    #[test]
    fn the_address_of_a_handler_is_spread_over_its_gate() {
        assert_eq!(gate(0x1234_5678_9abc_def0), [0x9abc_8e01_0008_def0, 0x1234_5678]);
    }
}
