//! Requests as the device reads them (Virtual I/O Device 1.2 §5.2.6), and its answers.

use mirage_block::ErrorKind;

/// Length of what stands before the data.
pub(crate) const HEADER: usize = 16;
/// Length of what says which sectors to discard.
pub(crate) const RANGE: usize = 16;

/// What the device shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Read = 0,
    Write = 1,
    Flush = 4,
    Discard = 11,
}

/// What stands before the data; `unit` counts from the start of the device in 512 bytes.
pub(crate) fn header(kind: Kind, unit: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&(kind as u32).to_le_bytes());
    header[8..].copy_from_slice(&unit.to_le_bytes());
    header
}

/// What says which units to discard.
pub(crate) fn range(unit: u64, units: u32) -> [u8; RANGE] {
    let mut range = [0; RANGE];
    range[..8].copy_from_slice(&unit.to_le_bytes());
    range[8..12].copy_from_slice(&units.to_le_bytes());
    range
}

/// What the status byte holds until the device has answered.
pub(crate) const UNANSWERED: u8 = 0xff;

/// What the device answered. 1 is an error of the medium, 2 a request that it does not know.
pub(crate) const fn answer(status: u8) -> Result<(), ErrorKind> {
    if status == 0 { Ok(()) } else { Err(ErrorKind::Device) }
}
