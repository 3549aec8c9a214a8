//! The smallest image that boots by a PVH note and writes to the serial port: nothing that boots can be faster.

/// Where it is loaded.
const BASE: u32 = 0x10_0000;
/// The ELF header, two program headers, the note and the program lie behind each other.
const NOTE: u32 = 64 + 2 * 56;
const NOTE_LEN: u32 = 12 + 4 + 8;
const CODE: u32 = NOTE + NOTE_LEN;
/// The program's length: the text lies behind it.
const CODE_LEN: u32 = 21;

/// An image that prints `text` and halts.
pub(super) fn image(text: &[u8]) -> Vec<u8> {
    let text_len = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let len = CODE + CODE_LEN + text_len;
    let mut image = Vec::new();
    let mut put = |bytes: &[u8]| image.extend_from_slice(bytes);
    // The ELF header: 64 bits, little-endian, an x86-64 program that starts at the code.
    put(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    put(&[2, 0, 62, 0, 1, 0, 0, 0]);
    put(&u64::from(BASE + CODE).to_le_bytes());
    // Program headers right behind it, no sections, no flags; sizes and counts of headers.
    put(&64_u64.to_le_bytes());
    put(&0_u64.to_le_bytes());
    put(&[0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0, 0, 0, 0, 0]);
    // PT_LOAD, readable and executable: the whole file. PT_NOTE: the note in it.
    for (kind, flags, offset, size, align) in [(1_u32, 5_u32, 0, len, 0x1000_u64), (4, 4, NOTE, NOTE_LEN, 4)] {
        put(&kind.to_le_bytes());
        put(&flags.to_le_bytes());
        put(&u64::from(offset).to_le_bytes());
        put(&u64::from(BASE + offset).to_le_bytes());
        put(&u64::from(BASE + offset).to_le_bytes());
        put(&u64::from(size).to_le_bytes());
        put(&u64::from(size).to_le_bytes());
        put(&align.to_le_bytes());
    }
    // The note "Xen" of type 18: the physical address to start at, in 32-bit mode without paging.
    put(&[4, 0, 0, 0, 8, 0, 0, 0, 18, 0, 0, 0]);
    put(b"Xen\0");
    put(&u64::from(BASE + CODE).to_le_bytes());
    // cld; mov edx, 0x3f8; mov esi, text; mov ecx, length; rep outsb; halt: hlt; jmp halt
    put(&[0xfc, 0xba, 0xf8, 0x03, 0, 0, 0xbe]);
    put(&(BASE + CODE + CODE_LEN).to_le_bytes());
    put(&[0xb9]);
    put(&text_len.to_le_bytes());
    put(&[0xf3, 0x6e, 0xf4, 0xeb, 0xfd]);
    put(text);
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_lie_where_the_headers_say() {
        let image = image(b"Hi\n");
        assert_eq!(image.len(), (CODE + CODE_LEN) as usize + 3);
        assert_eq!(image[NOTE as usize + 12..][..4], *b"Xen\0");
        assert_eq!(image[CODE as usize], 0xfc);
        assert!(image.ends_with(b"\xf4\xeb\xfdHi\n"));
    }
}
