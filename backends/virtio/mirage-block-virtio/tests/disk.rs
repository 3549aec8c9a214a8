//! The driver against a model of a disk, step by step.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "std is there")]

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use mirage_block::testing::{examine, examine_discard, examine_flush};
use mirage_block::{Block, Discard, ErrorKind, Flush, Info};
use mirage_block_virtio::{Disk, Error};
use mirage_virtio::Bell;
use mirage_virtqueue::testing::{Chain, Host, Model};
use mirage_virtqueue::{EVENT_INDEX, VERSION_1};
use virtio_drivers::transport::{DeviceType, Transport};

const SIZE_MAX: u64 = 1 << 1;
const RO: u64 = 1 << 5;
const BLK_SIZE: u64 = 1 << 6;
const FLUSH: u64 = 1 << 9;
const DISCARD: u64 = 1 << 13;
const ALL: u64 = BLK_SIZE | FLUSH | DISCARD | 1 << 28 | EVENT_INDEX | VERSION_1;

type TestDisk = Disk<Host, Model, TestBell>;

#[derive(Clone, Default)]
struct TestBell(Rc<RefCell<Option<Waker>>>);

impl Bell for TestBell {
    fn set_waker(&self, waker: &Waker) {
        *self.0.borrow_mut() = Some(waker.clone());
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A disk of 1 MiB with a cache that a loss of power empties.
struct Device {
    model: Model,
    cache: RefCell<Vec<u8>>,
    medium: RefCell<Vec<u8>>,
    requests: RefCell<Vec<(u32, u64, usize)>>,
}

const BYTES: usize = 1 << 20;

impl Device {
    fn new(features: u64, sector_size: u32) -> Self {
        let mut config = [0; 60];
        config[..8].copy_from_slice(&(BYTES as u64 / 512).to_le_bytes());
        config[8..12].copy_from_slice(&16_384_u32.to_le_bytes());
        config[20..24].copy_from_slice(&sector_size.to_le_bytes());
        config[36..40].copy_from_slice(&100_u32.to_le_bytes());
        let model = Model::new(DeviceType::Block, features, &[128], &config);
        let model = if features & VERSION_1 == 0 { model.legacy() } else { model };
        let bytes: Vec<u8> = (0..BYTES).map(|at| (at / 512 * 31 + at) as u8).collect();
        Self { model, cache: RefCell::new(bytes.clone()), medium: RefCell::new(bytes), requests: RefCell::default() }
    }

    fn try_disk(&self) -> Result<TestDisk, Error> {
        let bell = TestBell::default();
        let rung = bell.clone();
        let mut acknowledged = self.model.clone();
        self.model.on_interrupt(move || {
            let _why = acknowledged.ack_interrupt();
            let waker = rung.0.borrow_mut().take();
            waker.into_iter().for_each(Waker::wake);
        });
        Disk::new(self.model.clone(), bell)
    }

    fn disk(&self) -> TestDisk {
        self.try_disk().expect("a device that works")
    }

    /// Does one request; whether there was one.
    fn serve(&self) -> bool {
        let Some(chain) = self.model.take(0) else { return false };
        let (status, written) = self.answer(&chain);
        chain.write_last(&[status]);
        self.give_back(&chain, written);
        true
    }

    fn give_back(&self, chain: &Chain, written: usize) {
        self.model.put(0, chain.id, written as u32 + 1);
        self.model.publish(0);
        self.model.want_notification(0, true);
    }

    fn answer(&self, chain: &Chain) -> (u8, usize) {
        let asked = chain.read();
        assert_eq!(chain.lengths()[0][0], 16, "the header stands alone");
        assert_eq!(chain.lengths()[1].last(), Some(&1), "so does the status");
        let kind = u32::from_le_bytes(asked[..4].try_into().expect("four"));
        let unit = u64::from_le_bytes(asked[8..16].try_into().expect("eight"));
        let at = unit as usize * 512;
        let room = chain.lengths()[1].iter().sum::<usize>() - 1;
        let len = room.max(asked.len() - 16);
        self.requests.borrow_mut().push((kind, unit, len));
        let (mut cache, mut medium) = (self.cache.borrow_mut(), self.medium.borrow_mut());
        match kind {
            0 => assert_eq!(chain.write(&cache[at..at + room]), room),
            1 => cache[at..at + asked.len() - 16].copy_from_slice(&asked[16..]),
            4 => medium.copy_from_slice(&cache),
            11 => {
                let unit = u64::from_le_bytes(asked[16..24].try_into().expect("eight")) as usize;
                let units = u32::from_le_bytes(asked[24..28].try_into().expect("four")) as usize;
                assert!(units <= 100, "more than the device takes at once");
                cache[unit * 512..(unit + units) * 512].fill(0);
            }
            _ => return (2, 0),
        }
        (0, room)
    }

    /// Lets the device do one request at a time until `future` is ready.
    fn run<R>(&self, future: impl Future<Output = R>) -> R {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let mut future = pin!(future);
        for _ in 0..1_000_000 {
            let before = wakes.0.load(Ordering::SeqCst);
            if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return result;
            }
            assert!(self.serve(), "a driver that waits has asked for something");
            assert!(wakes.0.load(Ordering::SeqCst) > before, "who waits must be woken");
        }
        panic!("it never ends");
    }
}

fn pattern(len: usize, salt: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + at / 253 + salt) as u8).collect()
}

#[test]
fn disks_pass_the_exam() {
    for (features, sector) in [
        (ALL, 512),
        (ALL, 4_096),
        (ALL & !EVENT_INDEX, 512),
        (ALL | SIZE_MAX, 1_024),
        (ALL | RO, 512),
        (BLK_SIZE | FLUSH, 4_096),
        (0, 512),
    ] {
        let device = Device::new(features, sector);
        let mut disk = device.disk();
        device.run(examine(&mut disk));
        if disk.can_discard() {
            device.run(examine_discard(&mut disk));
        }
        if disk.can_flush() {
            let restart = |disk| {
                drop(disk);
                device.cache.borrow_mut().copy_from_slice(&device.medium.borrow());
                device.disk()
            };
            device.run(examine_flush(disk, restart));
        }
    }
}

#[test]
fn what_was_written_is_read_back_and_survives_after_a_flush() {
    for (features, sector) in [(ALL, 512), (ALL, 4_096), (ALL & !EVENT_INDEX, 512), (FLUSH, 512), (ALL | SIZE_MAX, 512)]
    {
        let device = Device::new(features, sector);
        let mut disk = device.disk();
        let info = Info { sector_size: sector, sectors: BYTES as u64 / u64::from(sector), read_only: false };
        assert_eq!(disk.info(), info);
        // More than one request, at a place that is no multiple of one.
        let data = pattern(150 * 4_096, 3);
        device.run(disk.write(3, &data)).expect("written");
        let mut back = vec![0; data.len()];
        device.run(disk.read(3, &mut back)).expect("read");
        assert!(back == data);
        let at = 3 * sector as usize;
        assert!(device.cache.borrow()[at..at + data.len()] == data, "at its place");
        assert!(device.medium.borrow()[at..at + data.len()] != data, "the model has a cache");
        device.run(disk.flush()).expect("flushed");
        assert!(device.medium.borrow()[at..at + data.len()] == data);
        // Its neighbours are as they were.
        let untouched = Device::new(features, sector);
        let (medium, untouched) = (device.medium.borrow(), untouched.medium.borrow());
        assert!(medium[..at] == untouched[..at] && medium[at + data.len()..] == untouched[at + data.len()..]);
    }
}

#[test]
fn requests_are_no_longer_than_the_device_and_the_memory_allow() {
    for (features, most) in [(ALL, 65_536), (ALL | SIZE_MAX, 16_384)] {
        let device = Device::new(features, 4_096);
        let mut disk = device.disk();
        device.run(disk.read(0, &mut vec![0; 200 * 1024])).expect("read");
        let requests = device.requests.borrow();
        assert!(requests.iter().all(|(_, _, len)| *len <= most));
        assert_eq!(requests.len(), (200 * 1024_usize).div_ceil(most));
    }
}

#[test]
fn what_does_not_lie_on_the_device_never_reaches_it() {
    let device = Device::new(ALL, 4_096);
    let mut disk = device.disk();
    let mut buffer = vec![0; 8_192];
    for start in [255, 256, u64::MAX] {
        assert_eq!(device.run(disk.read(start, &mut buffer)), Err(ErrorKind::OutOfRange));
        assert_eq!(device.run(disk.write(start, &buffer)), Err(ErrorKind::OutOfRange));
        assert_eq!(device.run(disk.discard(start, 2)), Err(ErrorKind::OutOfRange));
    }
    assert_eq!(device.run(disk.read(0, &mut buffer[..512])), Err(ErrorKind::Unaligned));
    assert_eq!(device.run(disk.write(0, &buffer[..4_097])), Err(ErrorKind::Unaligned));
    assert_eq!(device.run(disk.read(256, &mut [])), Ok(()));
    assert!(device.requests.borrow().is_empty());
    assert_eq!(device.run(disk.read(254, &mut buffer)), Ok(()));
}

#[test]
fn a_read_only_device_is_not_written() {
    let device = Device::new(ALL | RO, 512);
    let mut disk = device.disk();
    assert!(disk.info().read_only);
    assert_eq!(device.run(disk.write(0, &[0; 512])), Err(ErrorKind::ReadOnly));
    assert_eq!(device.run(disk.discard(0, 1)), Err(ErrorKind::ReadOnly));
    assert!(device.requests.borrow().is_empty());
}

#[test]
fn discarded_sectors_are_told_in_pieces_that_the_device_takes() {
    let device = Device::new(ALL, 4_096);
    let mut disk = device.disk();
    assert!(disk.can_discard());
    device.run(disk.discard(10, 30)).expect("discarded");
    // The device takes 100 units of 512 bytes at once: 12 sectors.
    assert_eq!(device.requests.borrow().len(), 3);
    let cache = device.cache.borrow();
    assert!(cache[10 * 4_096..40 * 4_096].iter().all(|byte| *byte == 0));
    assert!(cache[9 * 4_096..10 * 4_096] == device.medium.borrow()[9 * 4_096..10 * 4_096]);
    assert!(cache[40 * 4_096..41 * 4_096] == device.medium.borrow()[40 * 4_096..41 * 4_096]);
}

#[test]
fn powers_that_the_device_does_not_offer_are_not_faked() {
    let device = Device::new(ALL & !(FLUSH | DISCARD), 512);
    let mut disk = device.disk();
    assert!(!disk.can_flush() && !disk.can_discard());
    assert_eq!(device.run(disk.flush()), Err(ErrorKind::Device));
    assert_eq!(device.run(disk.discard(0, 1)), Err(ErrorKind::Device));
    assert!(device.requests.borrow().is_empty());
}

#[test]
fn an_error_of_the_device_is_told_and_the_next_request_works() {
    let device = Device::new(ALL, 512);
    let mut disk = device.disk();
    // Broken medium, unknown request, no answer at all.
    for status in [Some(1), Some(2), None] {
        let mut buffer = [0; 512];
        let mut read = Box::pin(disk.read(0, &mut buffer));
        assert!(read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let chain = device.model.take(0).expect("a request");
        if let Some(status) = status {
            chain.write_last(&[status]);
        }
        device.give_back(&chain, 0);
        assert_eq!(device.run(read), Err(ErrorKind::Device));
        assert_eq!(device.run(disk.read(0, &mut buffer)), Ok(()));
    }
}

#[test]
fn a_dropped_read_writes_into_nobodys_buffer_and_the_next_request_waits_for_it() {
    let device = Device::new(ALL, 512);
    let mut disk = device.disk();
    let mut buffer = vec![7; 512];
    {
        let mut read = Box::pin(disk.read(5, &mut buffer));
        assert!(read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(buffer, [7; 512]);
    // The device has not answered yet when the next one is asked for.
    device.run(disk.read(9, &mut buffer)).expect("read");
    assert!(buffer == device.cache.borrow()[9 * 512..10 * 512]);
    assert_eq!(*device.requests.borrow(), [(0, 5, 512), (0, 9, 512)]);
}

#[test]
fn a_dropped_write_leaves_old_or_new_bytes_in_each_sector() {
    let device = Device::new(ALL, 512);
    let mut disk = device.disk();
    let data = pattern(100 * 1024, 1);
    {
        let mut write = Box::pin(disk.write(0, &data));
        assert!(write.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(device.serve());
        assert!(write.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    // What was dropped in flight is done before anything else, also before a flush.
    device.run(disk.flush()).expect("flushed");
    let (medium, untouched) = (device.medium.borrow(), Device::new(ALL, 512));
    let untouched = untouched.medium.borrow();
    for (sector, bytes) in medium.chunks(512).enumerate() {
        let range = sector * 512..(sector + 1) * 512;
        let new = data.get(range.clone()).is_some_and(|new| new == bytes);
        assert!(new || bytes == &untouched[range], "sector {sector}");
    }
}

#[test]
fn a_device_that_lies_or_fails_is_gone_for_good() {
    for lie in 0..3 {
        let device = Device::new(ALL, 512);
        let mut disk = device.disk();
        let mut buffer = [0; 512];
        let mut read = Box::pin(disk.read(0, &mut buffer));
        assert!(read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        match lie {
            0 => device.model.put(0, 77, 513),
            1 => device.model.pretend(0, 200),
            _ => device.model.fail(),
        }
        device.model.publish(0);
        assert_eq!(device.run(read), Err(ErrorKind::Disconnected));
        assert_eq!(device.run(disk.write(0, &buffer)), Err(ErrorKind::Disconnected));
        assert_eq!(device.run(disk.flush()), Err(ErrorKind::Disconnected));
        assert!(!device.model.is_running(), "it is reset");
    }
}

#[test]
fn a_device_is_reset_before_its_memory_goes_away() {
    let device = Device::new(ALL, 512);
    let mut disk = device.disk();
    {
        let mut buffer = [0; 512];
        let mut read = Box::pin(disk.read(0, &mut buffer));
        assert!(read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    drop(disk);
    assert!(!device.model.is_running() && device.model.take(0).is_none());
}

#[test]
fn what_cannot_be_used_is_refused_and_reset() {
    let other = Model::new(DeviceType::Network, ALL, &[128], &[0; 60]);
    assert_eq!(TestDisk::new(other, TestBell::default()).err(), Some(Error::NotABlockDevice));
    for size in [0, 1, 256, 513, 1 << 20, u32::MAX] {
        let device = Device::new(ALL, size);
        assert_eq!(device.try_disk().err(), Some(Error::SectorSize), "{size}");
        assert_eq!(device.model.resets(), 2);
    }
    let short = Model::new(DeviceType::Block, ALL, &[128], &[0; 4]);
    assert_eq!(TestDisk::new(short, TestBell::default()).err(), Some(Error::Refused));
    for queue in [0, 2] {
        let narrow = Model::new(DeviceType::Block, ALL & !BLK_SIZE, &[queue], &[0; 60]);
        assert_eq!(TestDisk::new(narrow, TestBell::default()).err(), Some(Error::Refused));
    }
    let mut refusing = Device::new(ALL, 512);
    refusing.model = refusing.model.refusing();
    assert_eq!(refusing.try_disk().err(), Some(Error::Refused));
    // Of no sectors at all: nothing to read, nothing to go wrong.
    let empty = Device::new(ALL, 512);
    empty.model.configure(|config| config[..8].fill(0));
    let mut disk = empty.disk();
    assert_eq!(empty.run(disk.read(0, &mut [0; 512])), Err(ErrorKind::OutOfRange));
}
