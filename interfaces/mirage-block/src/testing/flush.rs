//! The exam for disks that flush.

use super::exam::{done, expect, many, pattern};
use crate::Flush;

/// The exam for a disk that flushes: what was written before a flush is there after `restart`, which gives the same
/// disk back after a loss of power, or as near to one as can be had (closed and opened again).
///
/// It overwrites up to 256 KiB at the beginning of the disk and its last sector. A read-only disk has nothing to flush,
/// and says so by doing nothing.
///
/// # Panics
/// When the disk fails the exam; the message says where.
pub async fn examine_flush<D: Flush>(mut disk: D, restart: impl FnOnce(D) -> D) -> D {
    flushed(&mut disk, "of a disk that nothing was written to").await;
    if disk.info().read_only {
        return restart(disk);
    }
    let (last, many) = (disk.info().sectors - 1, many(&disk));
    for (start, count) in [(last, 1), (0, many)] {
        // Twice, so that an old version is in the way.
        for seed in [21, 22] {
            let data = pattern(&disk, start, count, seed);
            done(disk.write(start, &data).await, "write", start, count);
        }
    }
    flushed(&mut disk, "after writes").await;
    flushed(&mut disk, "after a flush").await;
    expect(&mut disk, 0, many, 22, "what was just flushed").await;
    let mut disk = restart(disk);
    expect(&mut disk, 0, many, 22, "what was flushed before the restart").await;
    if last >= many {
        expect(&mut disk, last, 1, 22, "what was flushed before the restart").await;
    }
    disk
}

async fn flushed(disk: &mut impl Flush, when: &str) {
    if let Err(error) = disk.flush().await {
        panic!("a flush {when}: {error}");
    }
}
