//! Leaves of an ELF file what a loader reads: its header, the program headers and the bytes that they name.

use object::LittleEndian as LE;
use object::elf::FileHeader64;
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use super::NotAnImage;

/// `file` without symbols, debugging information and the list of its sections. Nothing moves: every segment has the same
/// bytes at the same place, but for the place of that list in a segment that begins with the file's header.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A file with a segment of `sizes[n]` bytes at `0x1000 × (n + 1)`, and `rest` bytes of sections behind.
    fn program(sizes: &[u16], rest: usize) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        // e_phoff, e_shoff, e_phentsize, e_phnum, e_shnum, e_shstrndx.
        for (at, byte) in [(0x20, 64), (0x28, 0xff), (0x36, 56), (0x38, sizes.len() as u8), (0x3c, 9), (0x3e, 8)] {
            file[at] = byte;
        }
        for (index, size) in sizes.iter().enumerate() {
            let mut header = [0; 56];
            header[0] = 1;
            header[8..16].copy_from_slice(&(0x1000 * (index as u64 + 1)).to_le_bytes());
            header[32..40].copy_from_slice(&u64::from(*size).to_le_bytes());
            file.extend_from_slice(&header);
        }
        for (index, size) in sizes.iter().enumerate() {
            file.resize(0x1000 * (index + 1), 0);
            file.extend((0..*size).map(|at| (at % 251) as u8 | 1));
        }
        let len = file.len() + rest;
        file.resize(len, 0xaa);
        file
    }

    proptest! {
        #[test]
        fn segments_keep_their_bytes_and_the_rest_is_gone(
            sizes in prop::collection::vec(0_u16..=0x1000, 1..5),
            rest in 0_usize..5000,
        ) {
            let whole = program(&sizes, rest);
            let stripped = strip(&whole).expect("a program");
            let header = |file: &[u8]| FileHeader64::<LE>::parse(file).expect("a header").to_owned();
            let (before, after) = (header(&whole), header(&stripped));
            prop_assert!(stripped[0x28..0x30].iter().chain(&stripped[0x3c..0x40]).all(|byte| *byte == 0));
            let segments = |header: &FileHeader64<LE>, file| header.program_headers(LE, file).expect("headers").to_vec();
            let mut end = 64 + 56 * sizes.len();
            for (one, other) in segments(&before, &whole[..]).iter().zip(segments(&after, &stripped[..])) {
                prop_assert_eq!(one.data(LE, &whole[..]), other.data(LE, &stripped[..]));
                prop_assert_eq!(one.p_offset(LE), other.p_offset(LE));
                end = end.max((one.p_offset(LE) + one.p_filesz(LE)) as usize);
            }
            prop_assert_eq!(stripped.len(), end);
            prop_assert_eq!(strip(&stripped).expect("a program"), stripped);
        }
    }

    #[test]
    fn a_file_that_is_cut_off_is_refused() {
        let whole = program(&[100], 0);
        assert!(strip(&whole).is_ok());
        assert_eq!(strip(&whole[..whole.len() - 1]), Err(NotAnImage("a segment lies outside of it")));
        assert!(strip(&whole[..100]).is_err() && strip(b"#!").is_err());
    }
}
