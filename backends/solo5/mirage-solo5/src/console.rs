//! The console.

use core::convert::Infallible;
use core::marker::PhantomData;

use mirage_console::{ErrorType, Write};

use crate::Abi;

/// The tender's standard output. There is no input.
#[derive(Clone, Copy, Debug, Default)]
pub struct Console<A>(PhantomData<A>);

impl<A: Abi> Console<A> {
    /// The one there is.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A: Abi> ErrorType for Console<A> {
    type Error = Infallible;
}

impl<A: Abi> Write for Console<A> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        A::write(bytes);
        Ok(bytes.len())
    }

    /// Nothing to do: nothing is buffered.
    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<A: Abi> mirage_console::Console for Console<A> {
    /// A line of up to 255 bytes goes out in one piece with its end.
    fn write_line(&mut self, line: &str) -> Result<(), Infallible> {
        let mut piece = [0; PIECE];
        match piece.get_mut(..=line.len()).and_then(<[u8]>::split_last_mut) {
            Some((end, text)) => {
                text.copy_from_slice(line.as_bytes());
                *end = b'\n';
                A::write(piece.get(..=line.len()).unwrap_or_default());
            }
            None => {
                A::write(line.as_bytes());
                A::write(b"\n");
            }
        }
        Ok(())
    }
}

/// Longest line that is put together with its end.
const PIECE: usize = 256;
