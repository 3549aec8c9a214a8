//! What the image prints.

mod device;
mod serial;

pub use device::attach;

use core::cell::Cell;
use core::convert::Infallible;

use embedded_io::{ErrorType, Write};

use super::single::Single;

/// Prints `bytes` on the first serial port, and on the console that was [attached](attach).
///
/// Can be used from the first instruction of the program on. Bytes that nobody takes are lost; it never waits for good.
pub fn write(bytes: &[u8]) {
    serial::write(bytes);
    if let Some(also) = ALSO.get() {
        also(bytes);
    }
}

/// The console of the machine, as [`write()`] is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Console;

impl ErrorType for Console {
    type Error = Infallible;
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        write(bytes);
        Ok(bytes.len())
    }

    /// Nothing to do: nothing is buffered.
    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl mirage_console::Console for Console {}

/// Another way to print. A pointer, so that the driver of consoles is only in images that attach one.
type Printer = fn(&[u8]);

// SAFETY: only the one processor uses it.
static ALSO: Single<Cell<Option<Printer>>> = unsafe { Single::new(Cell::new(None)) };
