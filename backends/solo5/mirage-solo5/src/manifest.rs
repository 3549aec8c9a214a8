//! The note that says which devices an image wants.

use crate::abi_note::{OWNER, OWNER_SIZE};
use crate::entry::{self, Entry};
use crate::handle::Handle;

/// A device that an image wants, by the name that its user gives on the tender's command line: `--net:NAME=tap0`.
#[derive(Clone, Copy, Debug)]
pub struct Device(Entry);

impl Device {
    /// A network device.
    ///
    /// # Panics
    /// When `name` is not 1 to 67 letters and digits of ASCII: no tender would take it. In a `static` that is an error
    /// of the compiler.
    pub const fn net(name: &str) -> Self {
        Self(named(entry::NET, name))
    }

    /// A block device.
    ///
    /// # Panics
    /// Like [`net`](Self::net).
    pub const fn block(name: &str) -> Self {
        Self(named(entry::BLOCK, name))
    }
}

const fn named(kind: u32, name: &str) -> Entry {
    let name = name.as_bytes();
    assert!(!name.is_empty() && name.len() < entry::NAME, "a device's name has 1 to 67 bytes");
    let mut entry = Entry::new(kind);
    let mut at = 0;
    while at < name.len() {
        assert!(name[at].is_ascii_alphanumeric(), "a device's name has letters and digits of ASCII only");
        entry.name[at] = name[at];
        at += 1;
    }
    entry
}

/// The ELF note "MFT1", whole: header, padding and description. `N` is the number of devices and one more, for the first
/// entry is reserved.
///
/// A tender reads it before the image runs and refuses to start unless every device is attached. It must be the first
/// note of a `PT_NOTE` segment of its own.
///
/// ```
/// use mirage_solo5::{Device, Manifest};
///
/// #[used]
/// #[unsafe(link_section = ".note.solo5.manifest")]
/// static MANIFEST: Manifest<3> = Manifest::new(&[Device::net("service"), Device::block("data")]);
/// ```
#[derive(Debug)]
#[repr(C)]
pub struct Manifest<const N: usize> {
    name_size: u32,
    size: u32,
    kind: [u8; 4],
    name: [u8; 8],
    /// Aligns what follows to 8; counts to the description.
    padding: u32,
    version: u32,
    entries: u32,
    entry: [Entry; N],
}

/// The one there is.
pub(crate) const VERSION: u32 = 1;

impl<const N: usize> Manifest<N> {
    /// The note for `devices`. The first has handle 1, the others follow.
    ///
    /// # Panics
    /// When there are not `N - 1` devices, more than 63, or two of the same name. In a `static` that is an error of the
    /// compiler.
    pub const fn new(devices: &[Device]) -> Self {
        assert!(devices.len() + 1 == N, "a manifest has one entry more than devices");
        assert!(N <= Handle::MOST, "a manifest has at most 63 devices");
        let mut entry = [Entry::RESERVED; N];
        let mut at = 0;
        while at < devices.len() {
            let mut other = 0;
            while other < at {
                assert!(!same(&devices[at].0.name, &devices[other].0.name), "two devices have the same name");
                other += 1;
            }
            entry[at + 1] = devices[at].0;
            at += 1;
        }
        Self {
            name_size: OWNER_SIZE,
            size: (4 + 8 + size_of::<Entry>() * N) as u32,
            kind: *b"MFT1",
            name: OWNER,
            padding: 0,
            version: VERSION,
            entries: N as u32,
            entry,
        }
    }
}

const fn same(a: &[u8; entry::NAME], b: &[u8; entry::NAME]) -> bool {
    let mut at = 0;
    while at < entry::NAME {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}
