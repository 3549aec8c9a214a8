//! Files at the loader of spt images: whole ones, and a good one with bytes changed here and there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_tender_spt::Image;

/// Where the notes and the code of the good image are in its file.
const ABI: u64 = 0x120;
const MANIFEST: u64 = ABI + 40;
const ENTRIES: u64 = 4;
const CODE: u64 = MANIFEST + 32 + 104 * ENTRIES;
const LEN: u64 = CODE + 32;

/// An image with two segments of code and data, two network devices and a disk.
fn good() -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    file.extend([0x10_0000_u64, 64, 0].map(u64::to_le_bytes).concat());
    file.extend([0_u8; 4]);
    file.extend([64_u16, 56, 4, 64, 0, 0].map(u16::to_le_bytes).concat());
    let manifest = 32 + 104 * ENTRIES;
    for (kind, flags, numbers) in [
        (4_u32, 4_u32, [ABI, 0, 0, 36, 36, 4]),
        (4, 4, [MANIFEST, 0, 0, manifest, manifest, 8]),
        (1, 5, [CODE, 0x10_0000, 0, 16, 16, 0x1000]),
        (1, 6, [CODE + 16, 0x10_1000, 0, 16, 0x2000, 0x1000]),
    ] {
        file.extend([kind, flags].map(u32::to_le_bytes).concat());
        file.extend(numbers.map(u64::to_le_bytes).concat());
    }
    file.extend([6_u32, 16].map(u32::to_le_bytes).concat());
    file.extend(b"ABI1Solo5\0\0\0");
    file.extend([2_u32, 2, 0, 0, 0].map(u32::to_le_bytes).concat());
    file.extend([6_u32, 12 + 104 * 4].map(u32::to_le_bytes).concat());
    file.extend(b"MFT1Solo5\0\0\0\0\0\0\0\x01\0\0\0\x04\0\0\0");
    for (name, kind) in [("", 1_u32 << 30), ("a", 2), ("b", 2), ("c", 1)] {
        let mut entry = name.as_bytes().to_vec();
        entry.resize(68, 0);
        entry.extend(kind.to_le_bytes());
        entry.resize(104, 0);
        file.extend(entry);
    }
    file.resize(usize::try_from(LEN).unwrap(), 0xf4);
    file
}

fn check(file: &[u8]) {
    let Ok(image) = Image::parse(file) else { return };
    assert!(image.end() > 0x10_0000 && image.end().is_multiple_of(4096));
    let mut names: Vec<_> = image.devices().map(|device| device.name).collect();
    assert!(names.len() <= 63 && names.iter().all(|name| (1..=67).contains(&name.len())));
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

fuzz_target!(|input: &[u8]| {
    if input.is_empty() {
        assert!(Image::parse(&good()).is_ok());
    }
    check(input);
    let mut file = good();
    for change in input.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
        match file.get_mut(at) {
            Some(byte) => *byte = change[2],
            None => file.truncate(at % LEN as usize),
        }
    }
    check(&file);
});
