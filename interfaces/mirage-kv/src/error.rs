//! Why a store said no.

use core::convert::Infallible;
use core::fmt;

/// What went wrong, in terms every store shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is nothing under this key.
    NotFound,
    /// There is a dictionary where a value was asked for.
    ValueExpected,
    /// There is a value where a dictionary was asked for.
    DictionaryExpected,
    /// The value is longer than the caller's buffer: ask `size` and come back with a larger one, or read in parts.
    BufferTooSmall,
    /// The store's medium is broken or its contents are.
    Corrupt,
    /// Something else; the error's text says more.
    Other,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "no such key",
            Self::ValueExpected => "the key names a dictionary",
            Self::DictionaryExpected => "the key names a value",
            Self::BufferTooSmall => "the buffer is shorter than the value",
            Self::Corrupt => "the store is corrupt",
            Self::Other => "the store failed",
        })
    }
}

impl core::error::Error for ErrorKind {}

/// An error of a store that can be told by its kind.
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

/// The error type of a store.
pub trait ErrorType {
    /// The error.
    type Error: Error;
}

impl<T: ErrorType + ?Sized> ErrorType for &T {
    type Error = T::Error;
}

impl<T: ErrorType + ?Sized> ErrorType for &mut T {
    type Error = T::Error;
}
