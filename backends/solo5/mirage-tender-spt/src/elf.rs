//! What is read of an ELF file: the segments to load and the first note of each `PT_NOTE`.

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use crate::image::ImageError;

/// Images begin here: below lie what the tender tells them and room that stays unmapped.
pub(crate) const IMAGE_START: u64 = 0x10_0000;
/// Unit of protection, in bytes.
pub(crate) const PAGE: u64 = 4096;
/// No address space of a process is larger, in bytes: 2⁴⁷.
const ADDRESSES_END: u64 = 1 << 47;

const NOTE_NAME: &[u8; 8] = b"Solo5\0\0\0";
/// Length of a note's header with its name, in bytes.
const NOTE_HEADER: usize = 20;
const ABI_NOTE: u32 = u32::from_le_bytes(*b"ABI1");
const MANIFEST_NOTE: u32 = u32::from_le_bytes(*b"MFT1");

/// For which tender an image was linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A virtual machine of `solo5-hvt`.
    Hvt,
    /// A process of `solo5-spt`, or of this tender.
    Spt,
    /// A virtual machine with virtio devices.
    Virtio,
    /// A subject on the Muen separation kernel.
    Muen,
    /// A component on Genode.
    Genode,
    /// A Xen guest.
    Xen,
    /// What Solo5 did not name when this was written.
    Other(u32),
}

impl From<u32> for Target {
    fn from(number: u32) -> Self {
        match number {
            1 => Self::Hvt,
            2 => Self::Spt,
            3 => Self::Virtio,
            4 => Self::Muen,
            5 => Self::Genode,
            6 => Self::Xen,
            other => Self::Other(other),
        }
    }
}

/// What an image expects of its tender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abi {
    /// The kind of tender.
    pub target: Target,
    /// The version of what that tender tells it, and of the calls.
    pub version: u32,
}

/// What is wrong with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SegmentFault {
    /// Its bytes are not in the file.
    Truncated,
    /// It has more bytes in the file than in memory.
    Shrinks,
    /// Its alignment is no power of two of at least one page: link with `-z max-page-size=0x1000` and without `-n`.
    Alignment,
    /// It begins before 0x100000 or ends beyond every address.
    Outside,
    /// It begins before the one before it ends, whole pages counted.
    Overlaps,
    /// It would be writable and executable at once.
    WritableCode,
}

/// What may be done with a segment's memory; reading always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    Execute,
}

/// A stretch of memory with its first bytes.
///
/// Invariant: `IMAGE_START <= start <= address`, `address + bytes.len() <= end`, and `start` and `end` are whole pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// First byte of its first page.
    pub(crate) start: u64,
    /// Where its bytes go; the rest of the pages is zero.
    pub(crate) address: u64,
    /// One past its last page.
    pub(crate) end: u64,
    pub(crate) bytes: &'a [u8],
    pub(crate) access: Access,
}

/// A file whose header is right.
pub(crate) struct Elf<'a> {
    file: &'a [u8],
    headers: &'a [ProgramHeader64<LE>],
    pub(crate) entry: u64,
}

impl<'a> Elf<'a> {
    pub(crate) fn parse(file: &'a [u8], machine: elf::Machine) -> Result<Self, ImageError> {
        let header = FileHeader64::<LE>::parse(file).map_err(|_| ImageError::NotElf)?;
        if !header.is_class_64() || !header.is_little_endian() {
            return Err(ImageError::NotElf);
        }
        if header.e_machine(LE) != machine {
            return Err(ImageError::WrongMachine(header.e_machine(LE).0));
        }
        if header.e_type(LE) != elf::ET_EXEC {
            return Err(ImageError::NotStatic);
        }
        let headers = header.program_headers(LE, file).map_err(|_| ImageError::NotElf)?;
        Ok(Self { file, headers, entry: header.e_entry(LE) })
    }

    /// The segments to load, in ascending order. One without bytes in the file is none: its memory is zero as all is.
    pub(crate) fn segments(&self) -> Result<Vec<Segment<'a>>, ImageError> {
        let mut segments = Vec::new();
        let mut free = IMAGE_START;
        for (index, header) in self.headers.iter().enumerate() {
            if header.p_type(LE) == elf::PT_LOAD && header.p_filesz(LE) > 0 {
                let segment = self.segment(header, free).map_err(|fault| ImageError::Segment { index, fault })?;
                free = segment.end;
                segments.push(segment);
            }
        }
        Ok(segments)
    }

    /// The segment of `header`, if it lies at `free` or behind.
    fn segment(&self, header: &ProgramHeader64<LE>, free: u64) -> Result<Segment<'a>, SegmentFault> {
        let bytes = header.data(LE, self.file).map_err(|()| SegmentFault::Truncated)?;
        let (address, size, unit) = (header.p_vaddr(LE), header.p_memsz(LE), header.p_align(LE));
        if size < header.p_filesz(LE) {
            return Err(SegmentFault::Shrinks);
        }
        if !unit.is_power_of_two() || unit < PAGE {
            return Err(SegmentFault::Alignment);
        }
        let start = address & !(unit - 1);
        let end = address.checked_add(size).and_then(|end| end.checked_next_multiple_of(unit));
        let end = end.filter(|end| *end <= ADDRESSES_END).ok_or(SegmentFault::Outside)?;
        if start < IMAGE_START {
            return Err(SegmentFault::Outside);
        }
        if start < free {
            return Err(SegmentFault::Overlaps);
        }
        let has = |flag| header.p_flags(LE).contains(flag);
        let access = match (has(elf::PF_W), has(elf::PF_X)) {
            (true, true) => return Err(SegmentFault::WritableCode),
            (true, false) => Access::Write,
            (false, true) => Access::Execute,
            (false, false) => Access::Read,
        };
        Ok(Segment { start, address, end, bytes, access })
    }

    /// What the ABI note says, and the bytes of the manifest's note, from its header on.
    ///
    /// Solo5 looks at the first note of each `PT_NOTE` only.
    pub(crate) fn notes(&self) -> (Option<Abi>, Option<&'a [u8]>) {
        let notes = self.headers.iter().filter(|header| header.p_type(LE) == elf::PT_NOTE);
        let notes = notes.filter_map(|header| header.data(LE, self.file).ok());
        let (mut abi, mut manifest) = (None, None);
        for (kind, note) in notes.filter_map(solo5_note) {
            match kind {
                ABI_NOTE if abi.is_none() => abi = read_abi(note),
                MANIFEST_NOTE if manifest.is_none() => manifest = Some(note),
                _ => {}
            }
        }
        (abi, manifest)
    }
}

/// The type of the first note in `bytes`, and that note with nothing behind; if it is one of Solo5's.
fn solo5_note(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let len = usize::try_from(word(bytes, 4)?).ok()?;
    let ours = word(bytes, 0)? == 6 && bytes.get(12..NOTE_HEADER)? == NOTE_NAME;
    let note = bytes.get(..len.checked_add(NOTE_HEADER)?)?;
    ours.then_some((word(bytes, 8)?, note))
}

fn read_abi(note: &[u8]) -> Option<Abi> {
    // Two words follow that are reserved.
    let [target, version, ..] = [word(note, 20)?, word(note, 24)?, word(note, 28)?, word(note, 32)?];
    Some(Abi { target: target.into(), version })
}

/// The 32-bit number at `at`.
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*word))
}
