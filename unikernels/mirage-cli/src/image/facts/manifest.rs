//! The devices that an image declares to a Solo5 tender.

use super::{Device, Kind};
use crate::image::NotAnImage;

/// Reads the text of the note `MFT1`: four bytes of padding, version and number of entries, entries of 104 bytes. An entry
/// has its name, ended by a zero, at 0 and its type at 68. The first one is reserved.
pub(super) fn devices(text: &[u8]) -> Result<Vec<Device>, NotAnImage> {
    let header = text.get(PADDING..PADDING + HEADER).ok_or(WRONG)?;
    let entries = &text[PADDING + HEADER..];
    let count = header[4..].iter().rev().fold(0_u64, |count, byte| count << 8 | u64::from(*byte));
    if header[..4] != [1, 0, 0, 0] || count.checked_mul(ENTRY as u64) != Some(entries.len() as u64) {
        return Err(WRONG);
    }
    entries.chunks_exact(ENTRY).skip(1).map(device).collect()
}

fn device(entry: &[u8]) -> Result<Device, NotAnImage> {
    let kind = match entry[TYPE..TYPE + 4] {
        [1, 0, 0, 0] => Kind::Block,
        [2, 0, 0, 0] => Kind::Net,
        _ => return Err(NotAnImage("its list of devices has one of an unknown kind")),
    };
    let name: Vec<u8> = entry[..TYPE].iter().copied().take_while(|byte| *byte != 0).collect();
    let name = String::from_utf8(name).map_err(|_| WRONG)?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(WRONG);
    }
    Ok(Device { name, kind })
}

const WRONG: NotAnImage = NotAnImage("its list of devices is damaged");

const PADDING: usize = 4;
const HEADER: usize = 8;
const ENTRY: usize = 104;
const TYPE: usize = 68;
