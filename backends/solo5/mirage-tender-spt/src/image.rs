//! An image that has passed every check that can be made without starting it.

use std::fmt;

use crate::elf::{Abi, Access, Elf, Segment, SegmentFault, Target};
use crate::machine;
use crate::manifest::{Device, Manifest, ManifestError};

/// The version of the spt interface that this tender speaks.
const VERSION: u32 = 2;

/// A parsed and checked image.
///
/// The checks are those of Solo5's own loader, and some more: the first instruction lies in code, names are those that a
/// command line can say.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    abi: Abi,
    manifest: Manifest<'a>,
    /// Invariant: ascending, not overlapping, not empty.
    segments: Vec<Segment<'a>>,
    entry: u64,
}

/// Why a file is no image for this tender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// It is no 64-bit little-endian ELF file, or its headers are cut short.
    NotElf,
    /// It was built for another processor; ELF's number of that one.
    WrongMachine(u16),
    /// It has no fixed addresses: link with `-static -no-pie`.
    NotStatic,
    /// It says nothing about a tender: not a Solo5 image.
    NoAbi,
    /// It was linked for another tender, or another version of this one.
    WrongAbi(Abi),
    /// It does not say which devices it needs.
    NoManifest,
    /// What it says about its devices is wrong.
    Manifest(ManifestError),
    /// The segment at `index` of the program headers cannot be loaded.
    Segment {
        /// Counted from 0, every kind of header counted.
        index: usize,
        /// Why.
        fault: SegmentFault,
    },
    /// There is no code where it says that it begins.
    Entry(u64),
}

impl<'a> Image<'a> {
    /// Reads the bytes of an image. Costs no more memory than a fraction of `file`.
    ///
    /// # Errors
    /// What is wrong with it, the first thing only.
    pub fn parse(file: &'a [u8]) -> Result<Self, ImageError> {
        let elf = Elf::parse(file, machine::ELF_MACHINE)?;
        let (abi, manifest) = elf.notes();
        let abi = abi.ok_or(ImageError::NoAbi)?;
        if abi != (Abi { target: Target::Spt, version: VERSION }) {
            return Err(ImageError::WrongAbi(abi));
        }
        let manifest = Manifest::parse(manifest.ok_or(ImageError::NoManifest)?).map_err(ImageError::Manifest)?;
        let (segments, entry) = (elf.segments()?, elf.entry);
        let code = |segment: &Segment<'_>| {
            segment.access == Access::Execute && (segment.address..segment.end).contains(&entry)
        };
        if !segments.iter().any(code) {
            return Err(ImageError::Entry(entry));
        }
        Ok(Self { abi, manifest, segments, entry })
    }

    /// What it expects of its tender: always [`Target::Spt`], version 2.
    pub fn abi(&self) -> Abi {
        self.abi
    }

    /// The devices that it declares, at most 63.
    pub fn devices(&self) -> impl Iterator<Item = Device<'a>> {
        self.manifest.devices().iter().copied()
    }

    /// Where the image ends in memory, in bytes from 0: it cannot run in less, and needs room for stack and heap above.
    pub fn end(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.end)
    }

    pub(crate) fn entry(&self) -> u64 {
        self.entry
    }

    pub(crate) fn segments(&self) -> &[Segment<'a>] {
        &self.segments
    }

    pub(crate) fn manifest(&self) -> &Manifest<'a> {
        &self.manifest
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => f.write_str("not a 64-bit little-endian ELF file"),
            Self::WrongMachine(number) => write!(f, "built for another processor (ELF machine {number})"),
            Self::NotStatic => f.write_str("not linked to fixed addresses (-static -no-pie)"),
            Self::NoAbi => f.write_str("not a Solo5 image: there is no ABI note"),
            Self::WrongAbi(abi) => {
                write!(f, "built for {:?}, version {}, not for spt, version {VERSION}", abi.target, abi.version)
            }
            Self::NoManifest => f.write_str("there is no list of devices"),
            Self::Manifest(error) => write!(f, "the list of devices: {error}"),
            Self::Segment { index, fault } => write!(f, "program header {index}: {fault}"),
            Self::Entry(address) => write!(f, "there is no code at the first instruction, {address:#x}"),
        }
    }
}

impl core::error::Error for ImageError {}

impl fmt::Display for SegmentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "its bytes are not in the file",
            Self::Shrinks => "it has more bytes in the file than in memory",
            Self::Alignment => "its alignment is not a power of two of at least 4096",
            Self::Outside => "it lies outside of the memory for images",
            Self::Overlaps => "it overlaps the one before",
            Self::WritableCode => "it is writable and executable",
        })
    }
}
