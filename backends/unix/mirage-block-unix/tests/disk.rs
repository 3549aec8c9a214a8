//! Files as disks.

#![cfg(target_os = "linux")]
#![allow(clippy::std_instead_of_core, reason = "std is there")]

use std::fs::{self, File, OpenOptions};
use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mirage_block::testing::{examine, examine_discard, examine_flush};
use mirage_block::{Block, Discard, Error, ErrorKind, Flush, Info};
use mirage_block_unix::{Disk, OpenError, Options};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a file never waits"),
    }
}

/// A file that is there as long as its test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("block-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&path);
        Self(path)
    }

    fn disk(name: &str, bytes: u64) -> Self {
        let file = Self::new(name);
        Disk::create(&file.0, bytes).unwrap();
        file
    }

    fn open(&self, sector_size: u32) -> Disk {
        Disk::open(&self.0, Options { sector_size, read_only: false }).unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const READ_ONLY: Options = Options { sector_size: 512, read_only: true };

#[test]
fn a_file_passes_every_exam_with_every_sector_size() {
    for sector_size in [512, 1024, 4096, 65_536] {
        let file = Temporary::disk(&format!("exam-{sector_size}"), 3 << 20);
        let mut disk = file.open(sector_size);
        assert_eq!(disk.info(), Info { sector_size, sectors: (3 << 20) / u64::from(sector_size), read_only: false });
        block_on(examine(&mut disk));
        block_on(examine_discard(&mut disk));
        block_on(examine_flush(disk, |disk| {
            drop(disk);
            file.open(sector_size)
        }));
        assert_eq!(fs::metadata(&file.0).unwrap().len(), 3 << 20, "no request changes the size");
    }
}

#[test]
fn a_single_sector_passes_every_exam() {
    let file = Temporary::disk("single", 4096);
    let mut disk = file.open(4096);
    block_on(examine(&mut disk));
    block_on(examine_discard(&mut disk));
}

#[test]
fn a_disk_of_more_than_four_gigabytes_passes_the_exam() {
    let file = Temporary::disk("large", (9 << 30) + 512);
    block_on(examine(&mut file.open(512)));
    assert!(fs::metadata(&file.0).unwrap().blocks() < 32 << 10, "what was never written takes no room");
}

#[test]
fn a_read_only_disk_passes_every_exam() {
    let file = Temporary::disk("read-only", 1 << 20);
    let mut disk = Disk::open(&file.0, READ_ONLY).unwrap();
    block_on(examine(&mut disk));
    block_on(examine_discard(&mut disk));
    block_on(examine_flush(disk, |disk| disk));
}

#[test]
fn a_file_that_may_not_be_written_opens_read_only() {
    let file = Temporary::disk("permissions", 4096);
    let mut permissions = fs::metadata(&file.0).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file.0, permissions).unwrap();
    block_on(examine(&mut Disk::open(&file.0, READ_ONLY).unwrap()));
}

#[test]
fn two_do_not_share_a_disk_that_takes_writes() {
    let file = Temporary::disk("lock", 4096);
    let disk = file.open(512);
    assert!(matches!(Disk::open(&file.0, Options::default()), Err(OpenError::InUse)));
    assert!(matches!(Disk::open(&file.0, READ_ONLY), Err(OpenError::InUse)));
    drop(disk);
    let first = Disk::open(&file.0, READ_ONLY).unwrap();
    let second = Disk::open(&file.0, READ_ONLY).unwrap();
    assert!(matches!(Disk::open(&file.0, Options::default()), Err(OpenError::InUse)));
    drop((first, second));
    file.open(512);
}

#[test]
fn a_file_that_is_no_whole_number_of_sectors_is_refused() {
    let file = Temporary::new("crooked");
    let size = |bytes| File::create(&file.0).unwrap().set_len(bytes).unwrap();
    for (bytes, sector_size) in [(0, 512), (511, 512), (513, 512), (4096 + 512, 4096), (512, 1024)] {
        size(bytes);
        let opened = Disk::open(&file.0, Options { sector_size, read_only: false });
        let Err(OpenError::Size { bytes: told, sector_size: asked }) = opened else { panic!("{opened:?}") };
        assert_eq!((told, asked), (bytes, sector_size));
    }
    size(4096);
    for sector_size in [0, 1, 256, 513, 1000, 131_072] {
        let opened = Disk::open(&file.0, Options { sector_size, read_only: false });
        assert!(matches!(opened, Err(OpenError::SectorSize(size)) if size == sector_size), "{opened:?}");
    }
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    assert!(matches!(Disk::open(env!("CARGO_TARGET_TMPDIR"), Options::default()), Err(OpenError::NotADisk)));
    assert!(matches!(Disk::open("/dev/zero", READ_ONLY), Err(OpenError::NotADisk)));
    assert!(matches!(Disk::open("/no/such/disk", READ_ONLY), Err(OpenError::Host(_))));
    let pipe = Temporary::new("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe.0, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(matches!(Disk::open(&pipe.0, READ_ONLY), Err(OpenError::NotADisk)));
}

#[test]
fn create_overwrites_nothing() {
    let file = Temporary::new("create");
    fs::write(&file.0, b"precious").unwrap();
    assert!(matches!(Disk::create(&file.0, 512), Err(OpenError::Host(_))));
    assert_eq!(fs::read(&file.0).unwrap(), b"precious");
    let other = Temporary::new("create-crooked");
    for bytes in [0, 1, 513] {
        assert!(matches!(Disk::create(&other.0, bytes), Err(OpenError::Size { .. })));
        assert!(!other.0.exists());
    }
}

#[test]
fn a_file_cut_short_behind_our_back_is_a_device_error() {
    let file = Temporary::disk("short", 8192);
    let mut disk = file.open(512);
    OpenOptions::new().write(true).open(&file.0).unwrap().set_len(4096).unwrap();
    let read = block_on(disk.read(8, &mut [0; 512]));
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Device);
    assert!(block_on(disk.read(7, &mut [0; 512])).is_ok());
}

#[test]
fn discarded_sectors_give_their_room_back() {
    let file = Temporary::disk("discard", 1 << 20);
    let mut disk = file.open(512);
    block_on(disk.write(0, &vec![1; 1 << 20])).unwrap();
    block_on(disk.flush()).unwrap();
    let before = fs::metadata(&file.0).unwrap().blocks();
    block_on(disk.discard(0, 2048)).unwrap();
    block_on(disk.flush()).unwrap();
    let after = fs::metadata(&file.0).unwrap().blocks();
    assert!(after < before / 2, "{before} blocks of the host became {after}");
    assert_eq!(fs::metadata(&file.0).unwrap().len(), 1 << 20);
}
