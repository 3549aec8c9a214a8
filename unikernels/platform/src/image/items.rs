//! What the compiler and the prebuilt `core` ask of a program without an operating system.

use core::panic::PanicInfo;

use super::{backtrace, panic_text};
use crate::Exit;
use crate::target::Machine;
use crate::text::Line;

/// Says that the image panicked and the addresses of the calls that led there, and ends it.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    panic_text::show(info);
    backtrace::each_call(|address| Machine::complain(Line::new().put("  at ").hexadecimal(address as u64).as_str()));
    Machine::exit(Exit::PANIC)
}

/// Named by landing pads in the prebuilt libraries; nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    Machine::exit(Exit::PANIC)
}
