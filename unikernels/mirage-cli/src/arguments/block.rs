//! `--block`: the file that is a disk's contents.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A disk of the application and the file with its contents.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Block {
    /// The application's name for it.
    pub(crate) name: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// Bytes of a sector: 512 or 4096.
    pub(crate) sector: u16,
}

/// The text names no disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotABlock;

impl FromStr for Block {
    type Err = NotABlock;

    fn from_str(text: &str) -> Result<Self, NotABlock> {
        let (name, rest) = text.split_once('=').ok_or(NotABlock)?;
        let name = device_name(name).ok_or(NotABlock)?;
        let (path, sector) = match rest.rsplit_once(",sector=") {
            Some((path, "512")) => (path, 512),
            Some((path, "4096")) => (path, 4096),
            Some(_) => return Err(NotABlock),
            None => (rest, 512),
        };
        if path.is_empty() {
            return Err(NotABlock);
        }
        Ok(Self { name, path: path.into(), sector })
    }
}

/// A name that Solo5's manifest can have: 1 to 67 ASCII letters and digits.
pub(super) fn device_name(name: &str) -> Option<String> {
    let fits = (1..=67).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| name.to_owned())
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.path.display())?;
        match self.sector {
            512 => Ok(()),
            sector => write!(f, ",sector={sector}"),
        }
    }
}

impl fmt::Display for NotABlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected NAME=PATH, like data=disk.img, and ,sector=4096 behind it for sectors of 4096 bytes")
    }
}

impl std::error::Error for NotABlock {}

impl TryFrom<String> for Block {
    type Error = NotABlock;

    fn try_from(text: String) -> Result<Self, NotABlock> {
        text.parse()
    }
}

impl From<Block> for String {
    fn from(block: Block) -> Self {
        block.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_read_and_written_alike() {
        for text in ["data=disk.img", "data=/a/b,c=d", "data=x,sector=4096"] {
            assert_eq!(text.parse::<Block>().expect(text).to_string(), text);
        }
        assert_eq!("a=b,sector=4096".parse::<Block>().expect("a disk").sector, 4096);
        for nonsense in ["", "disk.img", "=x", "data=", "data=x,sector=1000", "da-ta=x", "data=,sector=512"] {
            assert_eq!(nonsense.parse::<Block>(), Err(NotABlock), "{nonsense}");
        }
    }
}
