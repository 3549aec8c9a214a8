//! What `--block` says.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

use mirage_block_unix::Options;

/// What one `--block` says: `NAME=PATH`, then perhaps `,sector=BYTES` and `,read-only`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) options: Options,
}

/// The text names no disk.
pub(super) struct AskedError;

impl fmt::Display for AskedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected NAME=PATH, then perhaps ,sector=BYTES and ,read-only")
    }
}

impl FromStr for Asked {
    type Err = AskedError;

    /// Commas that begin no option belong to the path.
    fn from_str(text: &str) -> Result<Self, AskedError> {
        let (name, mut path) = text.split_once('=').ok_or(AskedError)?;
        let mut options = Options::default();
        while let Some((rest, option)) = path.rsplit_once(',') {
            match option.split_once('=') {
                Some(("sector", bytes)) => options.sector_size = bytes.parse().map_err(|_| AskedError)?,
                None if option == "read-only" => options.read_only = true,
                _ => break,
            }
            path = rest;
        }
        if name.is_empty() || path.is_empty() {
            return Err(AskedError);
        }
        Ok(Self { name: name.into(), path: path.into(), options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, PathBuf, Options)> {
        text.parse().ok().map(|Asked { name, path, options }| (name, path, options))
    }

    #[test]
    fn a_disk_is_a_name_and_a_path() {
        assert_eq!(parsed("data=disk.img"), Some(("data".into(), "disk.img".into(), Options::default())));
        for bad in ["", "data", "data=", "=disk.img", "data=,read-only", "data=disk.img,sector=", "data=x,sector=4k"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn options_follow_the_path_in_any_order() {
        let options = Options { sector_size: 4096, read_only: true };
        for text in ["data=/a,b=c,sector=4096,read-only", "data=/a,b=c,read-only,sector=4096"] {
            assert_eq!(parsed(text), Some(("data".into(), "/a,b=c".into(), options)));
        }
    }
}
