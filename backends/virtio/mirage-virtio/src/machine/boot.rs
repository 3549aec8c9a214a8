//! From the first instruction to a running program.

mod command_line;
mod entry;
mod memory_map;
mod multiboot;
mod physical;
mod pvh;
mod start;

pub(crate) use start::{slots, started};

use core::ops::Range;

/// What the machine says at boot.
#[derive(Debug)]
pub struct Boot {
    /// The command line, without the name of the image; empty when it is not UTF-8.
    pub command_line: &'static str,
    heap: Range<usize>,
}

impl Boot {
    /// The addresses of the largest piece of memory that nobody uses: it is the caller's.
    pub fn heap(&self) -> Range<usize> {
        self.heap.clone()
    }
}
