//! Leaves of an ELF file what a loader reads: its header, the program headers and the bytes that they name.

use object::LittleEndian as LE;
use object::elf::FileHeader64;
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use super::NotAnImage;

/// `file` without symbols, debugging information and the list of its sections. Nothing moves: every segment has the same
/// bytes at the same place.
///
/// # Errors
/// It is no ELF file of 64 bits, little endian, or a segment lies outside of it.
pub(crate) fn strip(file: &[u8]) -> Result<Vec<u8>, NotAnImage> {
    let header = FileHeader64::<LE>::parse(file).map_err(|_| NotAnImage("it is no ELF file of 64 bits"))?;
    if !header.is_class_64() || !header.is_little_endian() {
        return Err(NotAnImage("it is not for x86-64 or aarch64"));
    }
    let headers = header.program_headers(LE, file).map_err(|_| NotAnImage("its program headers lie outside of it"))?;
    let table = header.e_phoff(LE).saturating_add(size_of_val(headers) as u64);
    let ends = headers.iter().map(|header| header.p_offset(LE).saturating_add(header.p_filesz(LE)));
    let end = ends.max().unwrap_or(0).max(table).max(SIZE as u64);
    let kept = usize::try_from(end).ok().and_then(|end| file.get(..end));
    let mut kept = kept.ok_or(NotAnImage("a segment lies outside of it"))?.to_vec();
    // The list of sections is gone: e_shoff, e_shnum, e_shstrndx.
    for field in [0x28..0x30, 0x3c..0x3e, 0x3e..0x40] {
        kept[field].fill(0);
    }
    Ok(kept)
}

/// Bytes of the header.
const SIZE: usize = size_of::<FileHeader64<LE>>();
