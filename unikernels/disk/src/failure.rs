//! What was wrong with the disk.

use core::fmt;

use mirage_block::{Error, ErrorKind};

/// What was wrong with the disk: one line for the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A request that should have been done was not.
    Request {
        /// `read`, `write` or `flush`.
        what: &'static str,
        /// From this sector on.
        sector: u64,
        /// What the disk said.
        kind: ErrorKind,
    },
    /// The sector does not hold what was written.
    Wrong {
        /// The first of them.
        sector: u64,
    },
    /// A request that must be refused was done, or refused for another reason.
    Refusal {
        /// `read` or `write`.
        what: &'static str,
        /// From this sector on.
        sector: u64,
        /// Of so many bytes.
        bytes: usize,
        /// What the disk should have said.
        right: ErrorKind,
        /// What it said; `None` when it was done.
        said: Option<ErrorKind>,
    },
    /// The text does not fit a sector of so many bytes.
    TooLong {
        /// Bytes of a sector.
        sector_size: u32,
    },
}

impl Failure {
    /// What a request that failed means.
    pub fn request(what: &'static str, sector: u64, error: &impl Error) -> Self {
        Self::Request { what, sector, kind: error.kind() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { what: "flush", kind, .. } => write!(f, "flush: {kind}"),
            Self::Request { what, sector, kind } => write!(f, "{what} at sector {sector}: {kind}"),
            Self::Wrong { sector } => write!(f, "sector {sector} does not hold what was written"),
            Self::Refusal { what, sector, bytes, right, said } => {
                write!(f, "{what} of {bytes} bytes at sector {sector} ")?;
                match said {
                    None => f.write_str("was done")?,
                    Some(said) => write!(f, "was refused with `{said}`")?,
                }
                write!(f, " where `{right}` is right")
            }
            Self::TooLong { sector_size } => write!(f, "the text does not fit a sector of {sector_size} bytes"),
        }
    }
}

impl core::error::Error for Failure {}
