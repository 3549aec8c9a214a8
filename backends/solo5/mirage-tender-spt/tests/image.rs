//! What is taken for an image, and what is not.

#![cfg(target_os = "linux")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test on a host with std")]

mod common;

use common::{ABI_NOTE, CODE, DATA, MANIFEST_NOTE, program_header};
use mirage_tender_spt::{Abi, Image, ImageError, Kind, ManifestError, SegmentFault, Target};
use proptest::prelude::*;

/// Where program headers have their fields.
const OFFSET: usize = 8;
const ADDRESS: usize = 16;
const FILE_SIZE: usize = 32;
const MEMORY_SIZE: usize = 40;
const ALIGNMENT: usize = 48;

const CODE_HEADER: usize = program_header(2);
const DATA_HEADER: usize = program_header(3);
/// The manifest itself, and its entries.
const MANIFEST: usize = MANIFEST_NOTE + 24;
const RESERVED: usize = MANIFEST + 8;
const FIRST: usize = RESERVED + 104;
const SECOND: usize = FIRST + 104;

fn good() -> Vec<u8> {
    common::image(&[0xf4; 100], &["service", "management"], &["disk"])
}

/// What a good image is taken for with `bytes` at `at`.
fn with(at: usize, bytes: &[u8]) -> Result<(), ImageError> {
    let mut image = good();
    image[at..at + bytes.len()].copy_from_slice(bytes);
    Image::parse(&image).map(|_| ())
}

fn with_number(at: usize, number: u64) -> Result<(), ImageError> {
    with(at, &number.to_le_bytes())
}

fn segment(index: usize, fault: SegmentFault) -> Result<(), ImageError> {
    Err(ImageError::Segment { index, fault })
}

fn manifest(error: ManifestError) -> Result<(), ImageError> {
    Err(ImageError::Manifest(error))
}

#[test]
fn a_good_image_says_what_it_needs() {
    let bytes = good();
    let image = Image::parse(&bytes).expect("good");
    let devices: Vec<_> = image.devices().map(|device| (device.name, device.kind)).collect();
    assert_eq!(devices, [("service", Kind::Net), ("management", Kind::Net), ("disk", Kind::Block)]);
    assert_eq!(image.abi(), Abi { target: Target::Spt, version: 2 });
    assert_eq!(image.end(), DATA + 0x1000);
}

#[test]
fn an_image_may_lie_at_any_address_in_memory() {
    let mut bytes = vec![0];
    bytes.extend(good());
    assert!(Image::parse(&bytes[1..]).is_ok());
}

#[test]
fn what_is_no_elf_file_for_this_processor_is_refused() {
    assert_eq!(Image::parse(b"").map(|_| ()), Err(ImageError::NotElf));
    assert_eq!(Image::parse(&good()[..63]).map(|_| ()), Err(ImageError::NotElf));
    assert_eq!(with(0, b"\x7fELG"), Err(ImageError::NotElf));
    assert_eq!(with(4, &[1]), Err(ImageError::NotElf), "32 bits");
    assert_eq!(with(5, &[2]), Err(ImageError::NotElf), "big-endian");
    assert_eq!(with(54, &[55]), Err(ImageError::NotElf), "size of program headers");
    assert_eq!(with_number(32, u64::MAX), Err(ImageError::NotElf), "place of program headers");
    assert_eq!(with(18, &[183]), Err(ImageError::WrongMachine(183)));
    assert_eq!(with(16, &[3]), Err(ImageError::NotStatic));
}

#[test]
fn an_image_for_another_tender_is_refused_and_named() {
    let other = |target, version| Err(ImageError::WrongAbi(Abi { target, version }));
    assert_eq!(with(ABI_NOTE + 20, &[1]), other(Target::Hvt, 2));
    assert_eq!(with(ABI_NOTE + 20, &[9]), other(Target::Other(9), 2));
    assert_eq!(with(ABI_NOTE + 24, &[3]), other(Target::Spt, 3));
}

#[test]
fn an_image_without_its_notes_is_refused() {
    assert_eq!(with(program_header(0), &[0]), Err(ImageError::NoAbi));
    assert_eq!(with(ABI_NOTE + 12, b"Linux"), Err(ImageError::NoAbi));
    assert_eq!(with(ABI_NOTE + 8, b"ABI2"), Err(ImageError::NoAbi));
    assert_eq!(with(ABI_NOTE + 4, &[17]), Err(ImageError::NoAbi), "longer than its header");
    assert_eq!(with(ABI_NOTE + 4, &[8]), Err(ImageError::NoAbi), "too short");
    assert_eq!(with_number(program_header(0) + OFFSET, u64::MAX), Err(ImageError::NoAbi));
    assert_eq!(with(program_header(1), &[0]), Err(ImageError::NoManifest));
    assert_eq!(with(MANIFEST_NOTE + 4, &[0xff; 4]), Err(ImageError::NoManifest));
}

#[test]
fn a_second_note_behind_the_first_is_not_seen() {
    // One header over both notes.
    let mut image = good();
    image[program_header(0) + FILE_SIZE..][..2].copy_from_slice(&0x400_u16.to_le_bytes());
    image[program_header(1)] = 0;
    assert_eq!(Image::parse(&image).map(|_| ()), Err(ImageError::NoManifest));
}

#[test]
fn a_manifest_of_another_length_than_its_entries_is_refused() {
    assert_eq!(with(MANIFEST + 4, &[3]), manifest(ManifestError::Length));
    assert_eq!(with(MANIFEST + 4, &[5]), manifest(ManifestError::Length));
    assert_eq!(with(MANIFEST + 4, &[0]), manifest(ManifestError::Length));
    assert_eq!(with(MANIFEST + 4, &[0xff; 4]), manifest(ManifestError::Length));
    assert_eq!(with(MANIFEST_NOTE + 4, &[4, 0]), manifest(ManifestError::Length), "empty");
    assert_eq!(with(MANIFEST, &[2]), manifest(ManifestError::Version(2)));
}

#[test]
fn a_manifest_of_sixty_four_entries_is_the_longest() {
    let names: Vec<_> = (0..64).map(|number| format!("net{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    // The notes of so many are longer than the room before the code, which is moved.
    let most = common::image(&[0xf4], &names[..63], &[]);
    assert_eq!(Image::parse(&most).expect("good").devices().count(), 63);
    let more = common::image(&[0xf4], &names, &[]);
    assert_eq!(Image::parse(&more).map(|_| ()), manifest(ManifestError::Length));
}

#[test]
fn a_manifest_that_does_not_begin_with_the_reserved_entry_is_refused() {
    assert_eq!(with(RESERVED, b"x"), manifest(ManifestError::First));
    assert_eq!(with(RESERVED + 68, &[2, 0, 0, 0]), manifest(ManifestError::First));
    assert_eq!(with(RESERVED + 96, &[1]), manifest(ManifestError::First));
}

#[test]
fn a_device_of_unknown_kind_or_attached_already_is_refused() {
    assert_eq!(with(FIRST + 68, &[3]), manifest(ManifestError::Device(1)));
    assert_eq!(with(SECOND + 68, &[0, 0, 0, 0x40]), manifest(ManifestError::Device(2)));
    assert_eq!(with(FIRST + 96, &[1]), manifest(ManifestError::Device(1)));
}

#[test]
fn a_name_that_a_command_line_cannot_say_is_refused() {
    for name in [&b"\0"[..], b"a b\0", b"\xff\0", &[b'x'; 68]] {
        assert_eq!(with(FIRST, name), manifest(ManifestError::Name(1)), "{name:?}");
    }
    assert_eq!(with(FIRST, &[[b'x'; 67].as_slice(), b"\0"].concat()), Ok(()));
    assert_eq!(with(SECOND, b"service\0"), manifest(ManifestError::Name(2)));
}

#[test]
fn a_segment_whose_bytes_are_not_there_is_refused() {
    assert_eq!(with_number(CODE_HEADER + OFFSET, 1 << 40), segment(2, SegmentFault::Truncated));
    assert_eq!(with_number(CODE_HEADER + FILE_SIZE, u64::MAX), segment(2, SegmentFault::Truncated));
    assert_eq!(with_number(CODE_HEADER + MEMORY_SIZE, 99), segment(2, SegmentFault::Shrinks));
}

#[test]
fn a_segment_of_less_than_pages_is_refused() {
    for alignment in [0, 1, 16, 2048, 4097, 12288] {
        assert_eq!(with_number(CODE_HEADER + ALIGNMENT, alignment), segment(2, SegmentFault::Alignment), "{alignment}");
    }
    assert_eq!(with_number(DATA_HEADER + ALIGNMENT, 0x2000), Ok(()));
}

#[test]
fn a_segment_outside_of_the_memory_for_images_is_refused() {
    let outside = segment(2, SegmentFault::Outside);
    assert_eq!(with_number(CODE_HEADER + ADDRESS, 0xf_f000), outside);
    assert_eq!(with_number(CODE_HEADER + ADDRESS, 0), outside);
    assert_eq!(with_number(CODE_HEADER + ADDRESS, u64::MAX), outside);
    assert_eq!(with_number(CODE_HEADER + ADDRESS, u64::MAX - 99), outside);
    assert_eq!(with_number(CODE_HEADER + ADDRESS, u64::MAX - 200), outside);
    assert_eq!(with_number(DATA_HEADER + MEMORY_SIZE, u64::MAX), segment(3, SegmentFault::Outside));
    assert_eq!(with_number(DATA_HEADER + MEMORY_SIZE, 1 << 47), segment(3, SegmentFault::Outside));
    assert_eq!(with_number(CODE_HEADER + ALIGNMENT, 1 << 21), outside, "rounded down");
    assert_eq!(with_number(CODE_HEADER + ALIGNMENT, 1 << 63), outside);
}

#[test]
fn segments_that_overlap_or_descend_are_refused() {
    let overlaps = segment(3, SegmentFault::Overlaps);
    assert_eq!(with_number(DATA_HEADER + ADDRESS, CODE), overlaps);
    assert_eq!(with_number(CODE_HEADER + MEMORY_SIZE, 0x2001), overlaps);
    assert_eq!(with_number(CODE_HEADER + MEMORY_SIZE, 0x2000), Ok(()));
    assert_eq!(with_number(CODE_HEADER + ADDRESS, DATA + 0x1000), overlaps);
}

#[test]
fn a_segment_without_bytes_in_the_file_is_not_looked_at() {
    let mut image = good();
    image[DATA_HEADER + FILE_SIZE..][..8].fill(0);
    image[DATA_HEADER + ADDRESS..][..8].fill(0xff);
    assert_eq!(Image::parse(&image).expect("good").end(), CODE + 0x1000);
}

#[test]
fn writable_code_is_refused() {
    assert_eq!(with(CODE_HEADER + 4, &[7]), segment(2, SegmentFault::WritableCode));
    assert_eq!(with(CODE_HEADER + 4, &[3]), segment(2, SegmentFault::WritableCode));
}

#[test]
fn an_entry_outside_of_the_code_is_refused() {
    for entry in [0, CODE - 1, CODE + 0x1000, DATA, u64::MAX] {
        assert_eq!(with_number(24, entry), Err(ImageError::Entry(entry)), "{entry:#x}");
    }
    assert_eq!(with_number(24, CODE + 99), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is wrong with it, an image gives an error or is one whose promises hold.
    #[test]
    fn a_damaged_image_is_refused_or_sound(
        changes in prop::collection::vec((0..0x600_usize, any::<u8>()), 1..8),
        len in prop::option::of(0..0x2100_usize),
    ) {
        let mut bytes = good();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if let Some(len) = len {
            bytes.truncate(len);
        }
        if let Ok(image) = Image::parse(&bytes) {
            prop_assert!(image.end() > CODE && image.end() % 4096 == 0 && image.end() <= 1 << 47);
            prop_assert!(image.devices().count() <= 63);
            prop_assert!(image.devices().all(|device| (1..68).contains(&device.name.len())));
        }
    }
}
