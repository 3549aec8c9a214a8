//! What can be said about a disk.

/// What can be said about a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of a sector: a power of two from 512 to 65,536. The size of the file is a multiple of it.
    pub sector_size: u32,
    /// Refuse writes, and share the file with others who only read it.
    pub read_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { sector_size: 512, read_only: false }
    }
}
