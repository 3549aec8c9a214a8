//! A text in a sector.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use mirage_block::Block;

use crate::Failure;

/// A text for a sector, `SECTOR:TEXT`. The rest of the sector is zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub sector: u64,
    /// What.
    pub text: String,
}

impl Note {
    /// Writes the sector.
    ///
    /// # Errors
    /// [`Failure::TooLong`], and what the disk says.
    pub async fn write(&self, disk: &mut impl Block) -> Result<(), Failure> {
        let sector_size = disk.info().sector_size;
        let mut data = vec![0; sector_size as usize];
        data.get_mut(..self.text.len()).ok_or(Failure::TooLong { sector_size })?.copy_from_slice(self.text.as_bytes());
        disk.write(self.sector, &data).await.map_err(|error| Failure::request("write", self.sector, &error))
    }
}

/// What a sector holds, without the zeros at its end.
///
/// # Errors
/// What the disk says.
pub async fn read_note(disk: &mut impl Block, sector: u64) -> Result<Vec<u8>, Failure> {
    let mut data = vec![0; disk.info().sector_size as usize];
    disk.read(sector, &mut data).await.map_err(|error| Failure::request("read", sector, &error))?;
    let end = data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    data.truncate(end);
    Ok(data)
}

/// The text is no `SECTOR:TEXT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoteError;

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected SECTOR:TEXT, as in 3:hello")
    }
}

impl core::error::Error for NoteError {}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (sector, text) = text.split_once(':').ok_or(NoteError)?;
        Ok(Self { sector: sector.parse().map_err(|_| NoteError)?, text: text.into() })
    }
}
