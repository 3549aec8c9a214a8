//! Images that tests make by hand.

#![allow(dead_code, reason = "each test uses its part")]

/// Where the code of an image lies in memory.
pub(crate) const CODE: u64 = 0x10_0000;
/// Where its writable page lies in memory.
pub(crate) const DATA: u64 = 0x10_2000;

/// Where the program header number `index` is in the file: ABI note, manifest, code, data.
pub(crate) const fn program_header(index: usize) -> usize {
    64 + 56 * index
}

/// Where the notes are in the file, from their headers on.
pub(crate) const ABI_NOTE: usize = 0x200;
pub(crate) const MANIFEST_NOTE: usize = 0x300;

const NET: u32 = 2;
const BLOCK: u32 = 1;

/// An image with `code` at its beginning, a page of data of which one byte is in the file, and these devices.
pub(crate) fn image(code: &[u8], nets: &[&str], blocks: &[&str]) -> Vec<u8> {
    let mut file = vec![0; ABI_NOTE];
    file.extend(note(b"ABI1", &[2_u32, 2, 0, 0].map(u32::to_le_bytes).concat()));
    file.resize(MANIFEST_NOTE, 0);
    let manifest = manifest(nets, blocks);
    file.extend(&manifest);
    let code_at = file.len().next_multiple_of(0x1000);
    file.resize(code_at, 0);
    file.extend(code);
    let data_at = file.len().next_multiple_of(0x1000);
    file.resize(data_at, 0);
    file.push(b'd');

    let code_len = code.len() as u64;
    let header = [
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
        [2_u16, 62].map(u16::to_le_bytes).concat(),
        1_u32.to_le_bytes().to_vec(),
        [CODE, 64, 0].map(u64::to_le_bytes).concat(),
        0_u32.to_le_bytes().to_vec(),
        [64_u16, 56, 4, 64, 0, 0].map(u16::to_le_bytes).concat(),
    ];
    let headers = [
        (4_u32, 4_u32, [ABI_NOTE as u64, 0, 0, 36, 36, 4]),
        (4, 4, [MANIFEST_NOTE as u64, 0, 0, manifest.len() as u64, manifest.len() as u64, 8]),
        (1, 5, [code_at as u64, CODE, CODE, code_len, code_len, 0x1000]),
        (1, 6, [data_at as u64, DATA, DATA, 1, 0x1000, 0x1000]),
    ];
    file[..64].copy_from_slice(&header.concat());
    for (index, (kind, flags, numbers)) in headers.into_iter().enumerate() {
        let header = [[kind, flags].map(u32::to_le_bytes).concat(), numbers.map(u64::to_le_bytes).concat()].concat();
        file[program_header(index)..][..56].copy_from_slice(&header);
    }
    file
}

fn note(kind: &[u8; 4], description: &[u8]) -> Vec<u8> {
    let lengths = [6, description.len() as u32].map(u32::to_le_bytes).concat();
    [&lengths[..], kind, b"Solo5\0\0\0", description].concat()
}

fn manifest(nets: &[&str], blocks: &[&str]) -> Vec<u8> {
    let mut entries = entry("", 1 << 30);
    entries.extend(nets.iter().flat_map(|name| entry(name, NET)));
    entries.extend(blocks.iter().flat_map(|name| entry(name, BLOCK)));
    let count = (entries.len() / 104) as u32;
    note(b"MFT1", &[&[0; 4][..], &[1, count].map(u32::to_le_bytes).concat(), &entries].concat())
}

fn entry(name: &str, kind: u32) -> Vec<u8> {
    let mut entry = vec![0; 104];
    entry[..name.len()].copy_from_slice(name.as_bytes());
    entry[68..72].copy_from_slice(&kind.to_le_bytes());
    entry
}
