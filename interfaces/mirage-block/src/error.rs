//! Why a block device said no.

use core::convert::Infallible;
use core::fmt;

/// What went wrong, in terms every block device shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request reaches past the last sector; nothing of it was done.
    OutOfRange,
    /// The buffer is not a whole number of sectors; nothing was done.
    Unaligned,
    /// The device takes no writes.
    ReadOnly,
    /// The device is gone for good.
    Disconnected,
    /// The medium is broken or the device refused: what the sectors hold is unknown.
    Device,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "past the end of the device",
            Self::Unaligned => "not a whole number of sectors",
            Self::ReadOnly => "the device is read-only",
            Self::Disconnected => "the device is gone",
            Self::Device => "the device failed",
        })
    }
}

impl core::error::Error for ErrorKind {}

/// An error of a block device that can be told by its kind.
pub trait Error: core::error::Error {
    /// What went wrong.
    fn kind(&self) -> ErrorKind;
}

impl Error for ErrorKind {
    fn kind(&self) -> ErrorKind {
        *self
    }
}

impl Error for Infallible {
    fn kind(&self) -> ErrorKind {
        match *self {}
    }
}

/// The error type of a block device.
pub trait ErrorType {
    /// The error.
    type Error: Error;
}

impl<T: ErrorType + ?Sized> ErrorType for &mut T {
    type Error = T::Error;
}
