//! The list of devices that an image carries, and that the tender completes.

use std::fmt;

use crate::elf::word;

/// Bytes of an entry.
const ENTRY: usize = 104;
/// Bytes before the first entry: version and number of entries.
const HEADER: usize = 8;
/// Where the manifest begins in its note: behind the note's header and four bytes that align it.
const START: usize = 24;
/// Most entries, the reserved first one counted.
const MOST: usize = 64;
const NAME: usize = 68;

const BLOCK: u32 = 1;
const NET: u32 = 2;
const RESERVED: u32 = 1 << 30;

/// The kind of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A network device that carries Ethernet frames.
    Net,
    /// A disk.
    Block,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Net => "network device",
            Self::Block => "disk",
        })
    }
}

/// A device that an image declares. All of them must be attached for it to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device<'a> {
    /// 1 to 67 ASCII letters and digits.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
}

/// Why a manifest is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestError {
    /// Its length is not that of 1 to 64 entries, or other than the note's.
    Length,
    /// It is of another version than 1.
    Version(u32),
    /// The first entry is not the reserved one.
    First,
    /// The device at this index, counted from 1, is neither network device nor disk, or already attached.
    Device(usize),
    /// The device at this index, counted from 1, has a name that is empty, too long, not of ASCII letters and digits, or
    /// that of another.
    Name(usize),
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("its length is wrong"),
            Self::Version(version) => write!(f, "its version is {version}, not 1"),
            Self::First => f.write_str("its first entry is not the reserved one"),
            Self::Device(index) => write!(f, "entry {index} is no device that this tender knows"),
            Self::Name(index) => write!(f, "the name of entry {index} is not unique letters and digits"),
        }
    }
}

impl core::error::Error for ManifestError {}

/// A manifest that is right.
#[derive(Clone, Debug)]
pub(crate) struct Manifest<'a> {
    /// From its version on; for the copy that the image gets.
    bytes: &'a [u8],
    /// In the order of the manifest; the first has handle 1.
    devices: Vec<Device<'a>>,
}

impl<'a> Manifest<'a> {
    /// Reads a note, from its header on.
    pub(crate) fn parse(note: &'a [u8]) -> Result<Self, ManifestError> {
        let bytes = note.get(START..).ok_or(ManifestError::Length)?;
        let version = word(bytes, 0).ok_or(ManifestError::Length)?;
        if version != 1 {
            return Err(ManifestError::Version(version));
        }
        let count = word(bytes, 4).and_then(|count| usize::try_from(count).ok()).ok_or(ManifestError::Length)?;
        if !(1..=MOST).contains(&count) || bytes.len() != HEADER + ENTRY * count {
            return Err(ManifestError::Length);
        }
        let mut devices = Vec::<Device<'_>>::with_capacity(MOST);
        for (index, entry) in bytes[HEADER..].chunks_exact(ENTRY).enumerate() {
            let kind = match (index, word(entry, NAME), entry[96]) {
                (0, Some(RESERVED), 0) if entry[0] == 0 => continue,
                (0, ..) => return Err(ManifestError::First),
                (_, Some(NET), 0) => Kind::Net,
                (_, Some(BLOCK), 0) => Kind::Block,
                _ => return Err(ManifestError::Device(index)),
            };
            let name = name(&entry[..NAME]).ok_or(ManifestError::Name(index))?;
            if devices.iter().any(|device| device.name == name) {
                return Err(ManifestError::Name(index));
            }
            devices.push(Device { name, kind });
        }
        Ok(Self { bytes, devices })
    }

    /// What it declares.
    pub(crate) fn devices(&self) -> &[Device<'a>] {
        &self.devices
    }

    /// The copy for the image, with what `attached` says of each device, in their order.
    pub(crate) fn complete(&self, attached: &[Attached]) -> Vec<u8> {
        let mut bytes = self.bytes.to_vec();
        // The reserved entry stays as it is.
        for (entry, device) in bytes[HEADER..].chunks_exact_mut(ENTRY).skip(1).zip(attached) {
            device.write(entry);
        }
        bytes
    }
}

/// The name in a field that a zero ends.
fn name(field: &[u8]) -> Option<&str> {
    let name = &field[..field.iter().position(|byte| *byte == 0)?];
    let right = !name.is_empty() && name.iter().all(u8::is_ascii_alphanumeric);
    std::str::from_utf8(name).ok().filter(|_| right)
}

/// What stands behind a declared device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attached {
    Net { fd: i32, mac: [u8; 6], mtu: u16 },
    Block { fd: i32, capacity: u64, block_size: u16 },
}

impl Attached {
    pub(crate) fn fd(self) -> i32 {
        match self {
            Self::Net { fd, .. } | Self::Block { fd, .. } => fd,
        }
    }

    /// Completes an entry. Solo5's `struct mft_entry`: name 0..68, type 68..72, properties 72..88, handle of the host
    /// 88..96, attached 96.
    fn write(self, entry: &mut [u8]) {
        match self {
            Self::Net { mac, mtu, .. } => {
                entry[72..78].copy_from_slice(&mac);
                entry[78..80].copy_from_slice(&mtu.to_le_bytes());
            }
            Self::Block { capacity, block_size, .. } => {
                entry[72..80].copy_from_slice(&capacity.to_le_bytes());
                entry[80..82].copy_from_slice(&block_size.to_le_bytes());
            }
        }
        entry[88..96].fill(0);
        entry[88..92].copy_from_slice(&self.fd().to_le_bytes());
        entry[96] = 1;
    }
}
