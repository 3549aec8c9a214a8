//! A console.

use embedded_io::{ErrorType, Write};

/// A console: bytes out, and lines of log that are not mixed with each other.
///
/// Input is a separate power: a console that has it also implements `embedded_io::{Read, ReadReady}`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a console",
    note = "consoles: `mirage_unix::Console`, `mirage_console::testing::Lines`"
)]
pub trait Console: ErrorType + Write {
    /// Writes `line` and a line end in one piece where the device can, so that the lines of two writers do not mix.
    ///
    /// # Errors
    /// Those of the device; a part of the line may have been written.
    fn write_line(&mut self, line: &str) -> Result<(), Self::Error> {
        self.write_all(line.as_bytes())?;
        self.write_all(b"\n")?;
        self.flush()
    }
}

impl<T: Console + ?Sized> Console for &mut T {
    fn write_line(&mut self, line: &str) -> Result<(), Self::Error> {
        T::write_line(self, line)
    }
}
