//! What the compiler and the prebuilt `core` ask of a program without an operating system.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use super::backtrace;
use crate::Exit;
use crate::target::Machine;

/// Prints the message, the place and the addresses of the calls that led there, and ends the image.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    struct Console;
    impl Write for Console {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            Machine::write(text.as_bytes());
            Ok(())
        }
    }
    // The console takes everything.
    let _ = writeln!(Console, "{info}");
    backtrace::each_call(|address| {
        let _ = writeln!(Console, "  at {address:#x}");
    });
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
