//! The exam for disks that can be told that sectors are not needed.

use super::exam::{done, expect, many, pattern, refused};
use crate::{Discard, ErrorKind};

/// The exam for a disk that discards: no neighbour changes, discarded sectors can be read and written again, and what
/// reaches past the end is refused without a trace.
///
/// It overwrites up to 256 KiB at the beginning and at the end of the disk.
///
/// # Panics
/// When the disk fails the exam; the message says where.
pub async fn examine_discard(disk: &mut impl Discard) {
    let (sectors, many) = (disk.info().sectors, many(disk));
    if disk.info().read_only {
        let discarded = disk.discard(0, 1).await;
        return refused(discarded, ErrorKind::ReadOnly, "discard", 0, 0);
    }
    for from in [0, sectors - many] {
        for (start, count) in [(0, 1), (many - 1, 1), (many / 3, many / 3), (many / 2, many / 2), (0, many), (1, 0)] {
            let data = pattern(disk, from, many, 31);
            done(disk.write(from, &data).await, "write", from, many);
            done(disk.discard(from + start, count).await, "discard", from + start, count);
            let behind = start + count;
            expect(disk, from, start.min(many), 31, "what lies before a discard").await;
            expect(disk, from + behind, many.saturating_sub(behind), 31, "what lies behind a discard").await;
            let mut buffer = pattern(disk, from + start, count, 32);
            done(disk.read(from + start, &mut buffer).await, "read", from + start, count);
            let data = pattern(disk, from + start, count, 33);
            done(disk.write(from + start, &data).await, "write", from + start, count);
            expect(disk, from + start, count, 33, "what was written after a discard").await;
        }
    }
    let data = pattern(disk, sectors - many, many, 34);
    done(disk.write(sectors - many, &data).await, "write", sectors - many, many);
    let ends =
        [(sectors, 1), (sectors - 1, 2), (sectors + 1, 0), (0, sectors + 1), (1, u64::MAX), (u64::MAX, u64::MAX)];
    for (start, count) in ends {
        let discarded = disk.discard(start, count).await;
        refused(discarded, ErrorKind::OutOfRange, "discard", start, 0);
    }
    expect(disk, sectors - many, many, 34, "the end of the disk after refused discards").await;
}
