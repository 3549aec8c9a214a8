//! Reading a store.

use core::future::Future;
use core::ops::ControlFlow;

use crate::{ErrorType, Key};

/// What is under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    Value,
    /// Further keys.
    Dictionary,
}

/// One entry of a dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The entry's name: the last segment of its key.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
}

/// When a value was last changed, since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Modified {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds after `seconds`, below 10⁹.
    pub nanos: u32,
}

/// Opaque bytes that change when the value does: equal digests mean equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

/// A store that can be read.
///
/// Every method is cancel-safe: it changes nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key-value store",
    note = "stores: `mirage_kv_embedded::Files`, `mirage_kv::testing::Fixed`"
)]
pub trait ReadOnly: ErrorType {
    /// What is under `key`; `None` for nothing. A key below a value is nothing, not an error.
    ///
    /// # Errors
    /// Only those of the medium.
    fn exists(&self, key: Key<'_>) -> impl Future<Output = Result<Option<Kind>, Self::Error>>;

    /// Reads the whole value into `buffer` and returns it.
    ///
    /// # Errors
    /// `NotFound`, `ValueExpected`, and `BufferTooSmall` when the value is longer; the buffer is then unspecified.
    fn get<'b>(&self, key: Key<'_>, buffer: &'b mut [u8]) -> impl Future<Output = Result<&'b [u8], Self::Error>>;

    /// Reads from `offset` on into `buffer`, as much as fits and is there; returns what was read. Past the end that
    /// is nothing.
    ///
    /// # Errors
    /// `NotFound`, `ValueExpected`.
    fn get_partial<'b>(
        &self,
        key: Key<'_>,
        offset: u64,
        buffer: &'b mut [u8],
    ) -> impl Future<Output = Result<&'b [u8], Self::Error>>;

    /// The value's length in bytes.
    ///
    /// # Errors
    /// `NotFound`, `ValueExpected`.
    fn size(&self, key: Key<'_>) -> impl Future<Output = Result<u64, Self::Error>>;

    /// Shows every entry of the dictionary to `visit`, in ascending order of the names' bytes, until it breaks off.
    ///
    /// # Errors
    /// `NotFound`, `DictionaryExpected`.
    fn list(
        &self,
        key: Key<'_>,
        visit: impl FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> impl Future<Output = Result<(), Self::Error>>;

    /// When the value was last changed; `None` where the store does not know.
    ///
    /// # Errors
    /// `NotFound`, `ValueExpected`.
    fn last_modified(&self, key: Key<'_>) -> impl Future<Output = Result<Option<Modified>, Self::Error>>;

    /// The value's digest.
    ///
    /// # Errors
    /// `NotFound`, `ValueExpected`.
    fn digest(&self, key: Key<'_>) -> impl Future<Output = Result<Digest, Self::Error>>;
}

impl<T: ReadOnly + ?Sized> ReadOnly for &T {
    fn exists(&self, key: Key<'_>) -> impl Future<Output = Result<Option<Kind>, Self::Error>> {
        T::exists(self, key)
    }
    fn get<'b>(&self, key: Key<'_>, buffer: &'b mut [u8]) -> impl Future<Output = Result<&'b [u8], Self::Error>> {
        T::get(self, key, buffer)
    }
    fn get_partial<'b>(
        &self,
        key: Key<'_>,
        offset: u64,
        buffer: &'b mut [u8],
    ) -> impl Future<Output = Result<&'b [u8], Self::Error>> {
        T::get_partial(self, key, offset, buffer)
    }
    fn size(&self, key: Key<'_>) -> impl Future<Output = Result<u64, Self::Error>> {
        T::size(self, key)
    }
    fn list(
        &self,
        key: Key<'_>,
        visit: impl FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> impl Future<Output = Result<(), Self::Error>> {
        T::list(self, key, visit)
    }
    fn last_modified(&self, key: Key<'_>) -> impl Future<Output = Result<Option<Modified>, Self::Error>> {
        T::last_modified(self, key)
    }
    fn digest(&self, key: Key<'_>) -> impl Future<Output = Result<Digest, Self::Error>> {
        T::digest(self, key)
    }
}
