//! The exam for every disk.

use alloc::vec;
use alloc::vec::Vec;

use super::noise;
use crate::{Block, Error, ErrorKind};

/// The exam for a disk: sectors go in and come out alone and in numbers, no request touches a neighbour, and what
/// cannot be done is refused without a trace. A read-only disk is read, and refuses every write.
///
/// It overwrites up to 256 KiB at the beginning and at the end of the disk, and some sectors between; it allocates
/// three times as much.
///
/// # Panics
/// When the disk fails the exam; the message says where.
pub async fn examine(disk: &mut impl Block) {
    let info = disk.info();
    assert!(info.sector_size.is_power_of_two() && info.sector_size >= 512, "a sector of {} bytes", info.sector_size);
    assert!(info.sectors > 0, "a disk without a sector cannot be examined");
    if info.read_only {
        read_only(disk).await;
    } else {
        round_trips(disk).await;
        far_apart(disk).await;
        neighbours(disk).await;
        refused_writes(disk).await;
    }
    refused_reads(disk).await;
    empty(disk).await;
    assert_eq!(disk.info(), info, "the disk became another");
}

/// The most bytes of one request.
const MANY: u64 = 256 * 1024;

/// How many sectors a request of many has.
pub(super) fn many(disk: &impl Block) -> u64 {
    let info = disk.info();
    info.sectors.min((MANY / u64::from(info.sector_size)).max(2))
}

/// One sector, and many, at the beginning and at the end: they come out as they went in.
async fn round_trips(disk: &mut impl Block) {
    let (sectors, many) = (disk.info().sectors, many(disk));
    for (seed, count) in [(1, 1), (2, 2.min(sectors)), (3, many)] {
        for start in [0, (sectors - count) / 2, sectors - count] {
            let data = pattern(disk, start, count, seed);
            done(disk.write(start, &data).await, "write", start, count);
            expect(disk, start, count, seed, "what was just written").await;
        }
    }
    // Written in one request, read sector by sector, and the other way round.
    for sector in 0..many.min(8) {
        let data = pattern(disk, 0, many, 3);
        done(disk.write(0, &data).await, "write", 0, many);
        expect(disk, sector, 1, 3, "one sector of a long write").await;
        let data = pattern(disk, sector, 1, 4);
        done(disk.write(sector, &data).await, "write", sector, 1);
    }
    for sector in 0..many {
        let data = pattern(disk, sector, 1, 5);
        done(disk.write(sector, &data).await, "write", sector, 1);
    }
    expect(disk, 0, many, 5, "many sectors that were written one by one").await;
}

/// Sectors whose places are equal in their low bits are different sectors.
async fn far_apart(disk: &mut impl Block) {
    let sectors = disk.info().sectors;
    let places: Vec<u64> =
        (0..64).map(|bit| 1 << bit).chain([0, sectors - 1]).filter(|place| *place < sectors).collect();
    for place in &places {
        let data = pattern(disk, *place, 1, 6);
        done(disk.write(*place, &data).await, "write", *place, 1);
    }
    for place in &places {
        expect(disk, *place, 1, 6, "sectors far apart").await;
    }
}

/// What lies beside a write stays as it was.
async fn neighbours(disk: &mut impl Block) {
    let (sectors, many) = (disk.info().sectors, many(disk));
    for from in [0, sectors - many] {
        for (start, count) in [(0, 1), (many / 2, 1), (many - 1, 1), (many / 3, many / 3), (0, many / 2)] {
            let data = pattern(disk, from, many, 7);
            done(disk.write(from, &data).await, "write", from, many);
            let data = pattern(disk, from + start, count, 8);
            done(disk.write(from + start, &data).await, "write", from + start, count);
            let behind = start + count;
            expect(disk, from, start, 7, "what lies before a write").await;
            expect(disk, from + start, count, 8, "what was just written").await;
            expect(disk, from + behind, many - behind, 7, "what lies behind a write").await;
        }
    }
}

async fn refused_writes(disk: &mut impl Block) {
    let (sectors, many) = (disk.info().sectors, many(disk));
    for from in [0, sectors - many] {
        let data = pattern(disk, from, many, 9);
        done(disk.write(from, &data).await, "write", from, many);
    }
    for (start, count) in past_the_end(sectors) {
        let data = pattern(disk, start, count, 10);
        refused(disk.write(start, &data).await, ErrorKind::OutOfRange, "write", start, data.len());
    }
    for length in crooked(disk) {
        let data = vec![0; length];
        refused(disk.write(0, &data).await, ErrorKind::Unaligned, "write", 0, length);
    }
    expect(disk, sectors - many, many, 9, "the end of the disk after refused writes").await;
    if sectors >= 2 * many {
        expect(disk, 0, many, 9, "the beginning of the disk after refused writes").await;
    }
}

async fn refused_reads(disk: &mut impl Block) {
    let sectors = disk.info().sectors;
    for (start, count) in past_the_end(sectors) {
        let mut buffer = pattern(disk, start, count, 11);
        refused(disk.read(start, &mut buffer).await, ErrorKind::OutOfRange, "read", start, buffer.len());
    }
    for length in crooked(disk) {
        let mut buffer = vec![0; length];
        refused(disk.read(0, &mut buffer).await, ErrorKind::Unaligned, "read", 0, length);
    }
}

/// Nothing at a place that exists is done; nothing past the end is refused.
async fn empty(disk: &mut impl Block) {
    let info = disk.info();
    for start in [0, info.sectors - 1, info.sectors] {
        done(disk.read(start, &mut []).await, "read", start, 0);
        if !info.read_only {
            done(disk.write(start, &[]).await, "write", start, 0);
        }
    }
    for start in [info.sectors + 1, u64::MAX] {
        refused(disk.read(start, &mut []).await, ErrorKind::OutOfRange, "read", start, 0);
    }
}

async fn read_only(disk: &mut impl Block) {
    let (sectors, many) = (disk.info().sectors, many(disk));
    for (start, count) in [(0, 1), (sectors - 1, 1), (0, many), (sectors - many, many)] {
        let mut before = pattern(disk, start, count, 12);
        done(disk.read(start, &mut before).await, "read", start, count);
        let data = pattern(disk, start, count, 13);
        refused(disk.write(start, &data).await, ErrorKind::ReadOnly, "write", start, data.len());
        let mut after = pattern(disk, start, count, 14);
        done(disk.read(start, &mut after).await, "read", start, count);
        assert!(before == after, "a read-only disk changed in {count} sectors from {start} on");
    }
}

/// Requests that reach past the end: by one sector, by all, and where the sum of place and length overflows, in sectors
/// or in bytes.
fn past_the_end(sectors: u64) -> Vec<(u64, u64)> {
    let mut requests = vec![
        (sectors, 1),
        (sectors, 2),
        (sectors - 1, 2),
        (sectors - 1, 3),
        (sectors + 1, 1),
        (u64::MAX, 1),
        (u64::MAX - 1, 2),
        (u64::MAX / 512 + 1, 1),
        (u64::MAX / 4096 + 1, 2),
    ];
    if sectors < MANY / 512 {
        requests.push((0, sectors + 1));
    }
    requests
}

/// Lengths that are no whole number of sectors.
fn crooked(disk: &impl Block) -> Vec<usize> {
    let size = disk.info().sector_size as usize;
    let mut lengths = vec![1, 2, 8, size / 2, size - 1];
    if disk.info().sectors > 1 {
        lengths.push(size + 1);
        lengths.push(size + size / 2);
    }
    lengths
}

/// Sectors that tell where they belong.
pub(super) fn pattern(disk: &impl Block, start: u64, count: u64, seed: u64) -> Vec<u8> {
    let size = disk.info().sector_size as usize;
    let mut data = vec![0; usize::try_from(count).expect("the exam asks for little") * size];
    noise::fill(&mut data, size, start, seed);
    data
}

/// Reads, and compares with the pattern.
pub(super) async fn expect(disk: &mut impl Block, start: u64, count: u64, seed: u64, what: &str) {
    let expected = pattern(disk, start, count, seed);
    let mut buffer = pattern(disk, start, count, !seed);
    done(disk.read(start, &mut buffer).await, "read", start, count);
    let size = disk.info().sector_size as usize;
    let wrong = buffer.chunks(size).zip(expected.chunks(size)).position(|(read, expected)| read != expected);
    assert_eq!(wrong, None, "{what}: {count} sectors from {start} on, the first wrong one is");
}

pub(super) fn done<E: Error>(result: Result<(), E>, what: &str, start: u64, count: u64) {
    if let Err(error) = result {
        panic!("{what} of {count} sectors from {start} on: {error}");
    }
}

pub(super) fn refused<E: Error>(result: Result<(), E>, kind: ErrorKind, what: &str, start: u64, length: usize) {
    match result {
        Ok(()) => panic!("{what} of {length} bytes from sector {start} on was done where `{kind}` is right"),
        Err(error) => assert_eq!(error.kind(), kind, "{what} of {length} bytes from sector {start} on"),
    }
}
