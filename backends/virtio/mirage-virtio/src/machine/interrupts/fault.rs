//! Exceptions: the program has a fault, and ends.

use core::arch::naked_asm;

use crate::machine::{console, exit, memory};

/// The vectors below this are exceptions.
pub(super) const EXCEPTIONS: u8 = 32;
pub(super) const NMI: u8 = 2;
pub(super) const DOUBLE_FAULT: u8 = 8;
const PAGE_FAULT: u8 = 14;

/// Where the exception `vector` enters.
pub(super) fn entry(vector: u8) -> u64 {
    (entries as *const ()).addr() as u64 + u64::from(vector) * ENTRY_BYTES
}

/// One call for each exception; by its return address the handler knows which it was.
#[unsafe(naked)]
extern "C" fn entries() {
    naked_asm!(".rept {count}", "call {handler}", ".endr", count = const EXCEPTIONS, handler = sym handler)
}

/// The bytes of a call.
const ENTRY_BYTES: u64 = 5;

#[unsafe(naked)]
extern "C" fn handler() {
    naked_asm!(
        "pop rdi",
        "mov rsi, rsp",
        "mov rdx, cr2",
        "and rsp, -16",
        "call {report}",
        "ud2",
        report = sym report,
    )
}

/// Says what happened and ends. `frame` is what the processor pushed: the error code where there is one, `rip`, `cs`, `rflags`, `rsp`.
extern "C" fn report(after_entry: u64, frame: *const u64, address: u64) -> ! {
    let vector = ((after_entry - entry(0)) / ENTRY_BYTES - 1) as u8;
    let has_code = WITH_ERROR_CODE >> vector & 1 == 1;
    // SAFETY: the processor pushed five words, and the error code where it does.
    let words = unsafe { core::slice::from_raw_parts(frame, if has_code { 6 } else { 5 }) };
    let [code, rip, _, _, rsp, _] = match *words {
        [code, rip, cs, flags, rsp, ss] => [code, rip, cs, flags, rsp, ss],
        [rip, cs, flags, rsp, ss] => [0, rip, cs, flags, rsp, ss],
        _ => [0; 6],
    };
    console::write(b"\nexception ");
    print(vector.into());
    for (name, value) in [(" at rip ", rip), (", rsp ", rsp), (", error code ", code)] {
        console::write(name.as_bytes());
        print(value);
    }
    if vector == PAGE_FAULT {
        console::write(b", address ");
        print(address);
        if memory::guard().contains(&address) {
            console::write(b": the stack is full");
        }
    }
    console::write(b"\n");
    exit(255)
}

/// Prints a hexadecimal number.
fn print(number: u64) {
    let mut digits = *b"0x0000000000000000";
    let used = (64 - number.leading_zeros()).div_ceil(4).max(1) as usize;
    let text = &mut digits[..2 + used];
    for (shift, digit) in text[2..].iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(number >> (4 * shift) & 0xf) as usize];
    }
    console::write(text);
}

/// Intel SDM volume 3 §7.13: the exceptions that push an error code.
const WITH_ERROR_CODE: u32 = 1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30;
