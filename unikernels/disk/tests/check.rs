//! The checks on a disk in memory, and on disks that are broken.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use disk::{Failure, Note, NoteError, fill, read_note, refusals, verify};
use mirage_block::testing::FakeDisk;
use mirage_block::{Block, ErrorKind, ErrorType, Flush, Info};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a disk in memory never waits"),
    }
}

const SHAPES: [(u32, u64); 7] = [(512, 1), (512, 63), (512, 64), (512, 65), (512, 1000), (4096, 17), (65_536, 3)];

#[test]
fn a_filled_disk_holds_its_pattern_and_no_other() {
    for (sector_size, sectors) in SHAPES {
        let mut disk = FakeDisk::new(sector_size, sectors);
        block_on(fill(&mut disk, 7)).unwrap();
        assert_eq!(block_on(verify(&mut disk, 7)), Ok(()));
        assert_eq!(block_on(refusals(&mut disk)), Ok(()));
        assert_eq!(block_on(verify(&mut disk, 7)), Ok(()), "what is refused leaves no trace");
        assert_eq!(block_on(verify(&mut disk, 8)), Err(Failure::Wrong { sector: 0 }));
    }
}

#[test]
fn one_wrong_bit_is_found_wherever_it_is() {
    for sector in [0, 1, 63, 64, 99] {
        let mut disk = FakeDisk::new(512, 100);
        block_on(fill(&mut disk, 1)).unwrap();
        let mut data = [0; 512];
        block_on(disk.read(sector, &mut data)).unwrap();
        data[511] ^= 1;
        block_on(disk.write(sector, &data)).unwrap();
        assert_eq!(block_on(verify(&mut disk, 1)), Err(Failure::Wrong { sector }));
    }
}

#[test]
fn what_was_lost_with_the_power_is_found() {
    let mut disk = FakeDisk::new(512, 100);
    block_on(fill(&mut disk, 1)).unwrap();
    block_on(disk.flush()).unwrap();
    disk.cut_power();
    disk.restore_power();
    assert_eq!(block_on(verify(&mut disk, 1)), Ok(()));
    block_on(fill(&mut disk, 2)).unwrap();
    disk.cut_power();
    disk.restore_power();
    assert!(matches!(block_on(verify(&mut disk, 2)), Err(Failure::Wrong { .. })));
}

#[test]
fn a_read_only_disk_is_told() {
    let mut disk = FakeDisk::new(512, 8);
    disk.set_read_only(true);
    let failure = block_on(fill(&mut disk, 1)).unwrap_err();
    assert_eq!(failure.to_string(), "write at sector 0: the device is read-only");
}

#[test]
fn a_note_comes_back_without_its_zeros() {
    let mut disk = FakeDisk::new(512, 8);
    block_on(Note { sector: 7, text: "Hello".into() }.write(&mut disk)).unwrap();
    assert_eq!(block_on(read_note(&mut disk, 7)).unwrap(), b"Hello");
    assert_eq!(block_on(read_note(&mut disk, 6)).unwrap(), b"");
    block_on(Note { sector: 7, text: String::new() }.write(&mut disk)).unwrap();
    assert_eq!(block_on(read_note(&mut disk, 7)).unwrap(), b"");
    block_on(Note { sector: 7, text: "x".repeat(512) }.write(&mut disk)).unwrap();
    assert_eq!(block_on(read_note(&mut disk, 7)).unwrap().len(), 512);
    let too_long = Note { sector: 7, text: "x".repeat(513) };
    assert_eq!(block_on(too_long.write(&mut disk)), Err(Failure::TooLong { sector_size: 512 }));
    let past = block_on(read_note(&mut disk, 8)).unwrap_err();
    assert_eq!(past.to_string(), "read at sector 8: past the end of the device");
}

#[test]
fn a_note_is_a_number_and_a_text() {
    assert_eq!("3:a:b ".parse(), Ok(Note { sector: 3, text: "a:b ".into() }));
    assert_eq!("18446744073709551615:".parse(), Ok(Note { sector: u64::MAX, text: String::new() }));
    for bad in ["", "3", ":x", "x:3", "-1:x", "18446744073709551616:x"] {
        assert_eq!(bad.parse::<Note>(), Err(NoteError), "{bad}");
    }
}

/// A disk that does as much as it can of what it should refuse.
struct Obliging(FakeDisk);

impl ErrorType for Obliging {
    type Error = ErrorKind;
}

impl Block for Obliging {
    fn info(&self) -> Info {
        self.0.info()
    }
    async fn read(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), ErrorKind> {
        let whole = buffer.len() / 512 * 512;
        self.0.read(start, &mut buffer[..whole]).await
    }
    async fn write(&mut self, start: u64, data: &[u8]) -> Result<(), ErrorKind> {
        match self.0.write(start, data).await {
            Err(ErrorKind::OutOfRange) => Err(ErrorKind::Device),
            other => other,
        }
    }
}

#[test]
fn a_disk_that_does_not_refuse_is_told() {
    let mut disk = Obliging(FakeDisk::new(512, 8));
    let failure = block_on(refusals(&mut disk)).unwrap_err();
    let right = "write of 512 bytes at sector 8 was refused with `the device failed` where `past the end of the device` is right";
    assert_eq!(failure.to_string(), right);
}
