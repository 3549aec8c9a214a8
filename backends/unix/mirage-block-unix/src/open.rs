//! From a path to a file that is a disk, and that no one else writes.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use mirage_block::Info;
use rustix::fs::OFlags;

use crate::{OpenError, Options};

/// Opens the file and locks it; what it is as a disk is told beside.
pub(crate) fn open(path: &Path, options: Options) -> Result<(File, Info), OpenError> {
    let Options { sector_size, read_only } = options;
    if !sector_size.is_power_of_two() || !(512..=65_536).contains(&sector_size) {
        return Err(OpenError::SectorSize(sector_size));
    }
    // Asked by name first, for opening a pipe would wait for its other end.
    is_disk(&path.metadata()?)?;
    let mut how = OpenOptions::new();
    how.read(true).write(!read_only);
    if path.metadata()?.file_type().is_block_device() && !read_only {
        // For a block device: refused while it is mounted or part of another (open(2), O_EXCL).
        how.custom_flags(OFlags::EXCL.bits().cast_signed());
    }
    let mut file = how.open(path)?;
    is_disk(&file.metadata()?)?;
    let locked = if read_only { file.try_lock_shared() } else { file.try_lock() };
    locked.map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::InUse,
        TryLockError::Error(error) => OpenError::Host(error),
    })?;
    // The metadata of a block device say 0; its end is told by seeking.
    let bytes = file.seek(SeekFrom::End(0))?;
    if bytes == 0 || !bytes.is_multiple_of(sector_size.into()) {
        return Err(OpenError::Size { bytes, sector_size });
    }
    Ok((file, Info { sector_size, sectors: bytes / u64::from(sector_size), read_only }))
}

/// Makes a file of zeros that takes no room until it is written.
pub(crate) fn create(path: &Path, bytes: u64) -> Result<(), OpenError> {
    if bytes == 0 || !bytes.is_multiple_of(512) {
        return Err(OpenError::Size { bytes, sector_size: 512 });
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    if let Err(error) = file.set_len(bytes).and_then(|()| file.sync_all()) {
        // It is ours and no disk.
        let _ = std::fs::remove_file(path);
        return Err(error.into());
    }
    Ok(())
}

fn is_disk(metadata: &Metadata) -> Result<(), OpenError> {
    let kind = metadata.file_type();
    if kind.is_file() || kind.is_block_device() { Ok(()) } else { Err(OpenError::NotADisk) }
}
