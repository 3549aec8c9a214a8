//! A target with a few disks in memory.

use core::cell::RefCell;

use mirage_solo5::testing::devices;
use mirage_solo5::{Abi, Boot, Error, Handle, Kind, ReadySet};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Drives;

struct World {
    /// By handle.
    disks: Vec<Vec<u8>>,
    broken: Option<u64>,
    calls: usize,
}

/// Names, bytes and bytes of a block; from handle 1 on.
const DISKS: [(&str, u64, u16); 6] = [
    ("small", 1 << 20, 512),
    ("large", 1 << 20, 4096),
    ("odd", 3 * 512 + 511, 512),
    ("tiny", 1024, 256),
    ("none", 1024, 0),
    ("crooked", 1040, 520),
];

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World {
        disks: DISKS.iter().map(|(_, bytes, _)| vec![0; *bytes as usize]).collect(),
        broken: None,
        calls: 0,
    });
}

pub(crate) fn boot() -> Boot {
    let mut all: Vec<_> = DISKS
        .iter()
        .map(|(name, capacity, block_size)| (*name, Kind::Block { capacity: *capacity, block_size: *block_size }))
        .collect();
    all.push(("service", Kind::Net { mac: [2; 6], mtu: 1500 }));
    Boot::new(b"", 0, devices(&all))
}

/// How many blocks were asked for.
pub(crate) fn calls() -> usize {
    WORLD.with_borrow(|world| world.calls)
}

/// The block at this offset is broken.
pub(crate) fn break_at(offset: Option<u64>) {
    WORLD.with_borrow_mut(|world| world.broken = offset);
}

/// As strict as a tender.
fn block<R>(handle: Handle, offset: u64, len: usize, move_it: impl FnOnce(&mut [u8]) -> R) -> Result<R, Error> {
    WORLD.with_borrow_mut(|world| {
        world.calls += 1;
        let place = handle.index() - 1;
        let (_, capacity, size) = *DISKS.get(place).ok_or(Error::Invalid)?;
        if len != usize::from(size) || !offset.is_multiple_of(u64::from(size)) || offset > capacity - u64::from(size) {
            return Err(Error::Invalid);
        }
        if world.broken == Some(offset) {
            return Err(Error::Unspecified);
        }
        let start = offset as usize;
        Ok(move_it(&mut world.disks[place][start..start + len]))
    })
}

impl Abi for Drives {
    unsafe fn start(_: *const u8) -> Boot {
        boot()
    }

    fn monotonic() -> u64 {
        0
    }

    fn wall() -> Option<u64> {
        None
    }

    fn write(_: &[u8]) {}

    fn poll(_: u64) -> ReadySet {
        ReadySet::EMPTY
    }

    fn net_write(_: Handle, _: &[u8]) -> Result<(), Error> {
        Err(Error::Invalid)
    }

    fn net_read(_: Handle, _: &mut [u8]) -> Result<usize, Error> {
        Err(Error::Invalid)
    }

    fn block_read(handle: Handle, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        block(handle, offset, buffer.len(), |block| buffer.copy_from_slice(block))
    }

    fn block_write(handle: Handle, offset: u64, data: &[u8]) -> Result<(), Error> {
        block(handle, offset, data.len(), |block| block.copy_from_slice(data))
    }

    fn exit(code: u8) -> ! {
        panic!("the machine ends with {code}")
    }
}
