//! The disk in memory passes the exam, and broken disks do not.

use core::future::Future;
use core::panic::AssertUnwindSafe;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::panic::catch_unwind;

use mirage_block::testing::{FakeDisk, examine, examine_discard, examine_flush};
use mirage_block::{Block, Discard, ErrorKind, ErrorType, Flush, Info};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a disk in memory never waits"),
    }
}

fn lose_power(disk: FakeDisk) -> FakeDisk {
    disk.cut_power();
    disk.restore_power();
    disk
}

/// Sizes and sector sizes: a single sector, few, one less and one more than a long request, many.
const SHAPES: [(u32, u64); 8] =
    [(512, 1), (512, 2), (512, 3), (512, 511), (512, 513), (512, 2048), (4096, 1), (4096, 256)];

#[test]
fn a_disk_in_memory_passes_every_exam() {
    for (sector_size, sectors) in SHAPES {
        let mut disk = FakeDisk::new(sector_size, sectors);
        block_on(examine(&mut disk));
        block_on(examine_discard(&mut disk));
        block_on(examine_flush(disk, lose_power));
    }
}

#[test]
fn a_read_only_disk_passes_every_exam() {
    for (sector_size, sectors) in SHAPES {
        let mut disk = FakeDisk::new(sector_size, sectors);
        disk.set_read_only(true);
        block_on(examine(&mut disk));
        block_on(examine_discard(&mut disk));
        block_on(examine_flush(disk, lose_power));
    }
}

#[test]
fn what_was_not_flushed_is_torn_between_sectors() {
    let mut disk = FakeDisk::new(512, 64);
    disk.set_seed(1);
    block_on(disk.write(0, &[1; 64 * 512])).unwrap();
    block_on(disk.flush()).unwrap();
    block_on(disk.write(0, &[2; 64 * 512])).unwrap();
    block_on(disk.write(0, &[3; 64 * 512])).unwrap();
    let mut disk = lose_power(disk);
    let mut after = [0; 64 * 512];
    block_on(disk.read(0, &mut after)).unwrap();
    for sector in after.chunks(512) {
        assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is never torn");
    }
    for version in [1, 2, 3] {
        assert!(after.chunks(512).any(|sector| sector[0] == version), "some sector holds version {version}");
    }
}

#[test]
fn the_same_seed_loses_the_same_sectors() {
    let survivors = |seed| {
        let mut disk = FakeDisk::new(512, 64);
        disk.set_seed(seed);
        block_on(disk.write(0, &[1; 64 * 512])).unwrap();
        let mut disk = lose_power(disk);
        let mut after = [0; 64 * 512];
        block_on(disk.read(0, &mut after)).unwrap();
        after
    };
    assert!(survivors(7) == survivors(7));
    assert!(survivors(7) != survivors(8));
}

#[test]
fn the_power_goes_in_the_midst_of_a_write() {
    let handle = FakeDisk::new(512, 8);
    let mut disk = handle.clone();
    handle.cut_power_after(3);
    assert_eq!(block_on(disk.write(0, &[1; 2 * 512])), Ok(()));
    assert_eq!(block_on(disk.write(2, &[1; 6 * 512])), Err(ErrorKind::Disconnected));
    assert!(!handle.is_powered());
    assert_eq!(block_on(disk.flush()), Err(ErrorKind::Disconnected));
    assert_eq!(block_on(disk.discard(0, 1)), Err(ErrorKind::Disconnected));
    handle.restore_power();
    let mut rest = [9; 5 * 512];
    block_on(disk.read(3, &mut rest)).unwrap();
    assert!(rest == [0; 5 * 512], "no sector after the third was written");
    assert_eq!(block_on(disk.write(0, &[1; 8 * 512])), Ok(()), "the power stays");
}

/// One way to be broken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Sound,
    ReadsOneSectorOff,
    WritesOneSectorOff,
    BothOneSectorOff,
    ForgetsTheLastSectorOfARequest,
    ReadsOnlyTheFirstSector,
    WritesASectorTooMuch,
    WritesPastTheEndAsFarAsItCan,
    ReadsPastTheEnd,
    WrapsAround,
    OverflowsInBytes,
    KeepsThirtyTwoSectors,
    RoundsCrookedReadsDown,
    RoundsCrookedWritesUp,
    RefusesTheLastSector,
    RefusesNothingAtTheEnd,
    WritesThoughReadOnly,
    SaysReadOnlyAndWrites,
    SaysDeviceForOutOfRange,
    FlushesNothing,
    FlushFails,
    DiscardsOneMore,
    DiscardsOneBefore,
    DiscardsPastTheEnd,
    DiscardOverflows,
    DiscardsThoughReadOnly,
}

use Fault::*;

/// A disk and its fault.
struct Broken(FakeDisk, Fault);

impl Broken {
    fn is(&self, fault: Fault) -> bool {
        self.1 == fault
    }

    fn sectors_of(&self, len: usize) -> u64 {
        (len / self.info().sector_size as usize) as u64
    }

    /// Where the broken disk goes for `start`.
    fn place(&self, start: u64) -> u64 {
        let info = self.info();
        match self.1 {
            WrapsAround if start >= info.sectors => start % info.sectors,
            OverflowsInBytes => start.wrapping_mul(u64::from(info.sector_size)) / u64::from(info.sector_size),
            KeepsThirtyTwoSectors if start < info.sectors => start % 32,
            _ => start,
        }
    }
}

impl ErrorType for Broken {
    type Error = ErrorKind;
}

impl Block for Broken {
    fn info(&self) -> Info {
        self.0.info()
    }

    async fn read(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), ErrorKind> {
        let (size, sectors, count) =
            (self.info().sector_size as usize, self.info().sectors, self.sectors_of(buffer.len()));
        let start = self.place(start);
        match self.1 {
            ReadsOneSectorOff | BothOneSectorOff if start + count < sectors => self.0.read(start + 1, buffer).await,
            ReadsOnlyTheFirstSector if count > 1 => {
                self.info().check(start, buffer.len())?;
                self.0.read(start, &mut buffer[..size]).await
            }
            ReadsPastTheEnd if start < sectors && start + count > sectors => {
                self.0.read(start, &mut buffer[..(sectors - start) as usize * size]).await
            }
            RoundsCrookedReadsDown => {
                let whole = buffer.len() / size * size;
                self.0.read(start, &mut buffer[..whole]).await
            }
            RefusesTheLastSector if start + count == sectors => Err(ErrorKind::OutOfRange),
            RefusesNothingAtTheEnd if start == sectors => Err(ErrorKind::OutOfRange),
            SaysDeviceForOutOfRange => self.0.read(start, buffer).await.map_err(|_| ErrorKind::Device),
            _ => self.0.read(start, buffer).await,
        }
    }

    async fn write(&mut self, start: u64, data: &[u8]) -> Result<(), ErrorKind> {
        let (size, sectors, count) =
            (self.info().sector_size as usize, self.info().sectors, self.sectors_of(data.len()));
        let start = self.place(start);
        match self.1 {
            WritesOneSectorOff | BothOneSectorOff if start + count < sectors => self.0.write(start + 1, data).await,
            ForgetsTheLastSectorOfARequest if count > 1 => {
                self.info().check(start, data.len())?;
                self.0.write(start, &data[..data.len() - size]).await
            }
            WritesASectorTooMuch if start + count < sectors => {
                self.0.write(start, data).await?;
                self.0.write(start + count, &vec![0; size]).await
            }
            WritesPastTheEndAsFarAsItCan if start < sectors && start + count > sectors => {
                self.0.write(start, &data[..(sectors - start) as usize * size]).await?;
                Err(ErrorKind::OutOfRange)
            }
            RoundsCrookedWritesUp if !data.len().is_multiple_of(size) => {
                let mut whole = data.to_vec();
                whole.resize(data.len().next_multiple_of(size), 0);
                self.0.write(start, &whole).await
            }
            WritesThoughReadOnly | SaysReadOnlyAndWrites if self.info().read_only => {
                self.0.set_read_only(false);
                let written = self.0.write(start, data).await;
                self.0.set_read_only(true);
                if self.is(SaysReadOnlyAndWrites) { Err(ErrorKind::ReadOnly) } else { written }
            }
            _ => self.0.write(start, data).await,
        }
    }
}

impl Flush for Broken {
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        match self.1 {
            FlushesNothing => Ok(()),
            FlushFails => Err(ErrorKind::Device),
            _ => self.0.flush().await,
        }
    }
}

impl Discard for Broken {
    async fn discard(&mut self, start: u64, count: u64) -> Result<(), ErrorKind> {
        let sectors = self.info().sectors;
        match self.1 {
            DiscardsOneMore if start.saturating_add(count) < sectors => self.0.discard(start, count + 1).await,
            DiscardsOneBefore if start > 0 && count < sectors => self.0.discard(start - 1, count + 1).await,
            DiscardsPastTheEnd if start < sectors => self.0.discard(start, count.min(sectors - start)).await,
            DiscardOverflows if start.checked_add(count).is_none() => Ok(()),
            DiscardsThoughReadOnly => {
                let read_only = self.info().read_only;
                self.0.set_read_only(false);
                let discarded = self.0.discard(start, count).await;
                self.0.set_read_only(read_only);
                discarded
            }
            _ => self.0.discard(start, count).await,
        }
    }
}

/// Whether a disk with the fault passes all exams, writable and read-only.
fn passes(fault: Fault) -> bool {
    [false, true].into_iter().all(|read_only| {
        let mut disk = Broken(FakeDisk::new(512, 1024), fault);
        disk.0.set_read_only(read_only);
        let exams = async {
            examine(&mut disk).await;
            examine_discard(&mut disk).await;
            examine_flush(disk, |disk| Broken(lose_power(disk.0), disk.1)).await;
        };
        catch_unwind(AssertUnwindSafe(|| block_on(exams))).is_ok()
    })
}

#[test]
fn every_broken_disk_fails_an_exam() {
    let faults = [
        ReadsOneSectorOff,
        WritesOneSectorOff,
        BothOneSectorOff,
        ForgetsTheLastSectorOfARequest,
        ReadsOnlyTheFirstSector,
        WritesASectorTooMuch,
        WritesPastTheEndAsFarAsItCan,
        ReadsPastTheEnd,
        WrapsAround,
        OverflowsInBytes,
        KeepsThirtyTwoSectors,
        RoundsCrookedReadsDown,
        RoundsCrookedWritesUp,
        RefusesTheLastSector,
        RefusesNothingAtTheEnd,
        WritesThoughReadOnly,
        SaysReadOnlyAndWrites,
        SaysDeviceForOutOfRange,
        FlushesNothing,
        FlushFails,
        DiscardsOneMore,
        DiscardsOneBefore,
        DiscardsPastTheEnd,
        DiscardOverflows,
        DiscardsThoughReadOnly,
    ];
    assert!(passes(Sound), "a disk without a fault passes");
    let unnoticed: Vec<_> = faults.into_iter().filter(|fault| passes(*fault)).collect();
    assert!(unnoticed.is_empty(), "{unnoticed:?} went unnoticed");
}
