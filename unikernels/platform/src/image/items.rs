//! What the compiler and the prebuilt `core` ask of a program without an operating system.

use core::panic::PanicInfo;

use super::backtrace;
use crate::Exit;
use crate::target::Machine;
use crate::text::Line;

/// Prints the place, the message and the addresses of the calls that led there, and ends the image.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let mut line = Line::new();
    line.put("panicked");
    if let Some(place) = info.location() {
        line.put(" at ").put(place.file()).put(":").number(place.line().into(), 1);
        line.put(":").number(place.column().into(), 1);
    }
    Machine::complain(line.put(":").as_str());
    Machine::complain(Line::new().show(&info.message()).as_str());
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
