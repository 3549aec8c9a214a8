//! A target whose two network devices are joined by a cable, and whose time passes only in a wait.

use core::cell::RefCell;
use std::collections::VecDeque;

use mirage_clock::Duration;
use mirage_solo5::testing::devices;
use mirage_solo5::{Abi, Boot, Error, Handle, Kind, ReadySet};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cable;

struct World {
    now: u64,
    /// Frames on their way to the device in this place.
    to: [VecDeque<Vec<u8>>; 2],
    room: usize,
    cut: bool,
    refuse: bool,
    writes: usize,
}

thread_local! {
    static WORLD: RefCell<World> = const {
        RefCell::new(World {
            now: 1_000_000,
            to: [VecDeque::new(), VecDeque::new()],
            room: usize::MAX,
            cut: false,
            refuse: false,
            writes: 0,
        })
    };
}

fn world<R>(change: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(change)
}

pub(crate) fn boot() -> Boot {
    let net = |last| Kind::Net { mac: [2, 0, 0, 0, 0, last], mtu: 1500 };
    let disk = Kind::Block { capacity: 4096, block_size: 512 };
    Boot::new(b"", 0, devices(&[("left", net(1)), ("right", net(2)), ("data", disk)]))
}

/// How many frames the cable holds.
pub(crate) fn room(frames: usize) {
    world(|world| world.room = frames);
}

/// The other ends are gone.
pub(crate) fn cut() {
    world(|world| world.cut = true);
}

/// Time passes.
pub(crate) fn pass(span: Duration) {
    world(|world| world.now += span.as_nanos());
}

/// Frames are refused.
pub(crate) fn refuse(refuse: bool) {
    world(|world| world.refuse = refuse);
}

/// How often a frame was handed over, or tried to be.
pub(crate) fn writes() -> usize {
    world(|world| world.writes)
}

impl Abi for Cable {
    unsafe fn start(_: *const u8) -> Boot {
        boot()
    }

    fn monotonic() -> u64 {
        world(|world| world.now)
    }

    fn wall() -> Option<u64> {
        None
    }

    fn write(_: &[u8]) {}

    fn poll(deadline: u64) -> ReadySet {
        world(|world| {
            let mut ready = ReadySet::EMPTY;
            for (place, frames) in world.to.iter().enumerate() {
                if !frames.is_empty() {
                    ready.insert(Handle::new(place + 1).expect("1 or 2"));
                }
            }
            if ready.is_empty() {
                assert_ne!(deadline, u64::MAX, "it would wait for ever");
                world.now = world.now.max(deadline);
            }
            ready
        })
    }

    fn net_write(handle: Handle, frame: &[u8]) -> Result<(), Error> {
        world(|world| {
            world.writes += 1;
            let to = &mut world.to[2 - handle.index()];
            match () {
                () if world.cut || world.refuse => return Err(Error::Unspecified),
                () if to.len() >= world.room => return Err(Error::Again),
                () => to.push_back(frame.to_vec()),
            }
            Ok(())
        })
    }

    fn net_read(handle: Handle, buffer: &mut [u8]) -> Result<usize, Error> {
        world(|world| {
            if world.cut {
                return Err(Error::Unspecified);
            }
            let frame = world.to[handle.index() - 1].pop_front().ok_or(Error::Again)?;
            let len = frame.len().min(buffer.len());
            buffer[..len].copy_from_slice(&frame[..len]);
            Ok(len)
        })
    }

    fn block_read(_: Handle, _: u64, _: &mut [u8]) -> Result<(), Error> {
        Err(Error::Invalid)
    }

    fn block_write(_: Handle, _: u64, _: &[u8]) -> Result<(), Error> {
        Err(Error::Invalid)
    }

    fn exit(code: u8) -> ! {
        panic!("the machine ends with {code}")
    }
}
