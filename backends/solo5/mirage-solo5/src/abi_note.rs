//! The note that says for which target an image was built.

/// The ELF note "ABI1", whole: header, name and description, 36 bytes.
///
/// A tender refuses an image without it or with that of another target. It must be the first note of a `PT_NOTE`
/// segment of its own.
///
/// ```
/// use mirage_solo5::AbiNote;
///
/// #[used]
/// #[unsafe(link_section = ".note.solo5.abi")]
/// static ABI: AbiNote = AbiNote::spt();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct AbiNote {
    name_size: u32,
    size: u32,
    kind: [u8; 4],
    name: [u8; 8],
    target: u32,
    version: u32,
    reserved: [u32; 2],
}

/// What owns a note, padded.
pub(crate) const OWNER: [u8; 8] = *b"Solo5\0\0\0";
/// Length of the owner's name, its end included.
pub(crate) const OWNER_SIZE: u32 = 6;

const HVT: u32 = 1;
const SPT: u32 = 2;
/// The same for both.
const VERSION: u32 = 2;

impl AbiNote {
    /// An image for the tender that runs it as a locked-down process.
    pub const fn spt() -> Self {
        Self::new(SPT)
    }

    /// An image for the tender that runs it as a virtual machine.
    pub const fn hvt() -> Self {
        Self::new(HVT)
    }

    const fn new(target: u32) -> Self {
        Self {
            name_size: OWNER_SIZE,
            size: 16,
            kind: *b"ABI1",
            name: OWNER,
            target,
            version: VERSION,
            reserved: [0; 2],
        }
    }
}

const _: () = assert!(size_of::<AbiNote>() == 36 && align_of::<AbiNote>() == 4);
