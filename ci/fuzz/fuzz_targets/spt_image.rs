//! Files at the loader of spt images: whole ones, and program headers and manifests put into a good frame.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_tender_spt::Image;

/// A file header for x86-64 whose program headers stand behind it, and an ABI note.
fn framed(count: u8, rest: &[u8]) -> Vec<u8> {
    let note = 64 + 56 * (u64::from(count) + 2);
    let manifest = note + 40;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    file.extend([0x10_0000_u64, 64, 0].map(u64::to_le_bytes).concat());
    file.extend([0_u8; 4]);
    file.extend([64_u16, 56, u16::from(count) + 2, 64, 0, 0].map(u16::to_le_bytes).concat());
    let len = rest.len() as u64;
    for (offset, len) in [(note, 36_u64), (manifest, len)] {
        file.extend([4_u32, 4].map(u32::to_le_bytes).concat());
        file.extend([offset, 0, 0, len, len, 8].map(u64::to_le_bytes).concat());
    }
    let headers = usize::from(count) * 56;
    let (headers, manifest) = rest.split_at(headers.min(rest.len()));
    file.extend(headers);
    file.resize(usize::try_from(note).unwrap(), 0);
    file.extend([6_u32, 16].map(u32::to_le_bytes).concat());
    file.extend(b"ABI1Solo5\0\0\0");
    file.extend([2_u32, 2, 0, 0, 0].map(u32::to_le_bytes).concat());
    file.extend(manifest);
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
    check(input);
    if let Some((count, rest)) = input.split_first() {
        check(&framed(count % 8, rest));
    }
});
