//! One device in a manifest, as image and tender write it.

/// Bytes of a name, its end included.
pub(crate) const NAME: usize = 68;

/// Block devices.
pub(crate) const BLOCK: u32 = 1;
/// Network devices.
pub(crate) const NET: u32 = 2;
/// The first entry, which is no device.
const RESERVED: u32 = 1 << 30;

/// One device: 104 bytes, aligned to 8. The image writes the name and the type, the tender the rest.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct Entry {
    /// Ends with a zero.
    pub(crate) name: [u8; NAME],
    pub(crate) kind: u32,
    /// A disk: its capacity in bytes (8 bytes), the size of a block (2). A network: its hardware address (6 bytes), its
    /// MTU (2). Little endian.
    pub(crate) detail: [u8; 16],
    /// The tender's file descriptor in the first four bytes; means something to spt only.
    pub(crate) host: [u8; 8],
    /// Whether the tender attached something: not a `bool`, for it may be anything.
    pub(crate) attached: u8,
    pub(crate) padding: [u8; 7],
}

const _: () = assert!(size_of::<Entry>() == 104 && align_of::<Entry>() == 8);

impl Entry {
    pub(crate) const RESERVED: Self = Self::new(RESERVED);

    pub(crate) const fn new(kind: u32) -> Self {
        Self { name: [0; NAME], kind, detail: [0; 16], host: [0; 8], attached: 0, padding: [0; 7] }
    }

    /// Whether the tender attached a device of the name `name`.
    pub(crate) fn is_attached_as(&self, name: &str) -> bool {
        let name = name.as_bytes();
        self.attached != 0
            && matches!(self.kind, NET | BLOCK)
            && self.name.get(..name.len()) == Some(name)
            && self.name.get(name.len()) == Some(&0)
    }

    pub(crate) fn mac(&self) -> [u8; 6] {
        let [a, b, c, d, e, f, ..] = self.detail;
        [a, b, c, d, e, f]
    }

    pub(crate) fn mtu(&self) -> u16 {
        u16::from_le_bytes([self.detail[6], self.detail[7]])
    }

    pub(crate) fn capacity(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.detail;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    pub(crate) fn block_size(&self) -> u16 {
        u16::from_le_bytes([self.detail[8], self.detail[9]])
    }

    pub(crate) fn descriptor(&self) -> i32 {
        let [a, b, c, d, ..] = self.host;
        i32::from_le_bytes([a, b, c, d])
    }
}
