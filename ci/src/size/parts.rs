//! What an image consists of.

use object::LittleEndian;
use object::elf::{FileHeader64, PF_W, PF_X, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};

/// What an image consists of, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// The whole file.
    pub(super) file: u64,
    /// What is executed.
    pub(super) text: u64,
    /// What is only read.
    pub(super) read_only: u64,
    /// What is written, with what is zero at the start and takes no place in the file.
    pub(super) data: u64,
}

impl Parts {
    /// Reads an ELF file's program headers: stripped images have nothing else.
    pub(super) fn of(file: &[u8]) -> Result<Self, object::Error> {
        let header = FileHeader64::<LittleEndian>::parse(file)?;
        let endian = header.endian()?;
        let mut parts = Self { file: file.len() as u64, ..Self::default() };
        for segment in header.program_headers(endian, file)? {
            if segment.p_type(endian) != PT_LOAD {
                continue;
            }
            let part = match segment.p_flags(endian) {
                flags if flags & PF_X == PF_X => &mut parts.text,
                flags if flags & PF_W == PF_W => &mut parts.data,
                _ => &mut parts.read_only,
            };
            *part += segment.p_memsz(endian);
        }
        Ok(parts)
    }
}
