//! The notes, byte for byte, as a tender reads them.

use mirage_solo5::{AbiNote, Device, Manifest};

fn bytes<T>(note: &T) -> &[u8] {
    // SAFETY: notes have no padding bytes: every field is written.
    unsafe { core::slice::from_raw_parts((&raw const *note).cast(), size_of::<T>()) }
}

/// The header of a note: 20 bytes.
fn header(size: u32, kind: &[u8; 4]) -> Vec<u8> {
    let mut bytes = Vec::from(6_u32.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(kind);
    bytes.extend(b"Solo5\0\0\0");
    bytes
}

/// The start of a manifest, with its reserved entry.
fn start(devices: u32) -> Vec<u8> {
    let mut bytes = header(4 + 8 + 104 * (devices + 1), b"MFT1");
    bytes.extend([0; 4]);
    bytes.extend([1, 0, 0, 0]);
    bytes.extend((devices + 1).to_le_bytes());
    bytes.extend(entry(b"", 0x4000_0000));
    bytes
}

fn entry(name: &[u8], kind: u32) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.resize(68, 0);
    bytes.extend(kind.to_le_bytes());
    bytes.resize(104, 0);
    bytes
}

#[test]
fn an_image_says_for_which_target_it_is() {
    for (note, target) in [(AbiNote::hvt(), 1), (AbiNote::spt(), 2)] {
        let mut expected = header(16, b"ABI1");
        expected.extend([target, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(expected.len(), 36);
        assert_eq!(bytes(&note), expected);
    }
}

#[test]
fn a_manifest_without_devices_has_the_reserved_entry() {
    static MANIFEST: Manifest<1> = Manifest::new(&[]);
    assert_eq!(bytes(&MANIFEST), start(0));
    assert_eq!(&bytes(&MANIFEST)[4..8], 116_u32.to_le_bytes());
}

#[test]
fn a_manifest_with_one_device() {
    static MANIFEST: Manifest<2> = Manifest::new(&[Device::net("service")]);
    let mut expected = start(1);
    expected.extend(entry(b"service", 2));
    assert_eq!(bytes(&MANIFEST), expected);
    assert_eq!(&bytes(&MANIFEST)[4..8], 220_u32.to_le_bytes());
}

#[test]
fn a_manifest_with_a_network_and_a_disk() {
    const LONG: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcde";
    static MANIFEST: Manifest<3> = Manifest::new(&[Device::net("0"), Device::block(LONG)]);
    let mut expected = start(2);
    expected.extend(entry(b"0", 2));
    expected.extend(entry(LONG.as_bytes(), 1));
    assert_eq!(LONG.len(), 67);
    assert_eq!(bytes(&MANIFEST), expected);
    assert_eq!(align_of::<Manifest<3>>(), 8);
}

#[test]
fn names_that_no_tender_takes_are_refused() {
    let long = "x".repeat(68);
    for name in ["", "two words", "a-b", "a_b", "é", long.as_str()] {
        assert!(std::panic::catch_unwind(|| Device::net(name)).is_err(), "{name:?}");
        assert!(std::panic::catch_unwind(|| Device::block(name)).is_err(), "{name:?}");
    }
}

#[test]
fn two_devices_of_one_name_are_refused() {
    let twice = || Manifest::<3>::new(&[Device::net("data"), Device::block("data")]);
    assert!(std::panic::catch_unwind(twice).is_err());
}

#[test]
fn a_manifest_of_another_length_is_refused() {
    assert!(std::panic::catch_unwind(|| Manifest::<3>::new(&[Device::net("data")])).is_err());
    assert!(std::panic::catch_unwind(|| Manifest::<1>::new(&[Device::net("data")])).is_err());
}
