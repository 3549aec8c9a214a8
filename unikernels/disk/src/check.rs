//! The whole disk: filled, compared, and asked for what it must refuse.

use alloc::vec;
use alloc::vec::Vec;

use mirage_block::{Block, Error, ErrorKind};

use crate::{Failure, pattern};

/// Writes the pattern of `seed` over the whole disk.
///
/// # Errors
/// The first request that fails.
pub async fn fill(disk: &mut impl Block, seed: u64) -> Result<(), Failure> {
    let mut buffer = buffer(disk);
    let mut start = 0;
    while let Some(part) = part(disk, start, &mut buffer) {
        pattern::fill(part, disk.info().sector_size as usize, start, seed);
        disk.write(start, part).await.map_err(|error| Failure::request("write", start, &error))?;
        start += sectors(disk, part);
    }
    Ok(())
}

/// Reads the whole disk and compares it with the pattern of `seed`.
///
/// # Errors
/// The first request that fails, or the first sector that is wrong.
pub async fn verify(disk: &mut impl Block, seed: u64) -> Result<(), Failure> {
    let (mut read, mut right) = (buffer(disk), buffer(disk));
    let size = disk.info().sector_size as usize;
    let mut start = 0;
    while let Some(part) = part(disk, start, &mut read) {
        disk.read(start, part).await.map_err(|error| Failure::request("read", start, &error))?;
        let right = &mut right[..part.len()];
        pattern::fill(right, size, start, seed);
        if let Some(wrong) = part.chunks(size).zip(right.chunks(size)).position(|(read, right)| read != right) {
            return Err(Failure::Wrong { sector: start + wrong as u64 });
        }
        start += sectors(disk, part);
    }
    Ok(())
}

/// Asks for what lies past the end and for what is no whole sector: all of it must be refused.
///
/// # Errors
/// The first request that is not refused as it should be.
pub async fn refusals(disk: &mut impl Block) -> Result<(), Failure> {
    let info = disk.info();
    let size = info.sector_size as usize;
    let mut buffer = vec![0; 2 * size];
    let end = info.sectors;
    for (start, bytes) in
        [(end, size), (end - 1, 2 * size), (end + 1, size), (u64::MAX, size), (u64::MAX / 512 + 1, size)]
    {
        refusal(disk, start, &mut buffer[..bytes], ErrorKind::OutOfRange).await?;
    }
    for bytes in [1, size / 2, size - 1, size + 1] {
        if bytes < size || end > 1 {
            refusal(disk, 0, &mut buffer[..bytes], ErrorKind::Unaligned).await?;
        }
    }
    Ok(())
}

async fn refusal(disk: &mut impl Block, sector: u64, buffer: &mut [u8], right: ErrorKind) -> Result<(), Failure> {
    let bytes = buffer.len();
    let judge = |what, said: Option<ErrorKind>| match said {
        Some(said) if said == right => Ok(()),
        said => Err(Failure::Refusal { what, sector, bytes, right, said }),
    };
    judge("read", disk.read(sector, buffer).await.err().map(|error| error.kind()))?;
    judge("write", disk.write(sector, buffer).await.err().map(|error| error.kind()))
}

/// Room for the sectors of one request.
fn buffer(disk: &impl Block) -> Vec<u8> {
    let size = disk.info().sector_size as usize;
    vec![0; size * (REQUEST / size).max(1)]
}

/// As much of `buffer` as there are sectors from `start` on; `None` at the end.
fn part<'b>(disk: &impl Block, start: u64, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
    let info = disk.info();
    let left = (info.sectors - start).saturating_mul(info.sector_size.into());
    let bytes = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    if bytes == 0 { None } else { Some(&mut buffer[..bytes]) }
}

fn sectors(disk: &impl Block, part: &[u8]) -> u64 {
    part.len() as u64 / u64::from(disk.info().sector_size)
}

/// Bytes of a request: what images of two megabytes can spare.
const REQUEST: usize = 32 * 1024;
