//! A store in a slice.

use core::ops::ControlFlow;

use crate::{Digest, Entry, ErrorKind, ErrorType, Key, Kind, Modified, ReadOnly};

/// A store over a slice of paths and values: the fake for tests of whatever reads a store.
///
/// Every lookup walks the whole slice. Its digest tells accidental changes apart and nothing more.
///
/// ```
/// # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// use mirage_kv::{Key, ReadOnly, testing::Fixed};
///
/// let store = Fixed::new(&[("/motd", b"hello")]);
/// let mut buffer = [0; 16];
/// let get = pin!(store.get(Key::new("/motd")?, &mut buffer));
/// assert_eq!(get.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(&b"hello"[..])));
/// # Ok::<(), mirage_kv::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fixed<'a> {
    /// Invariant: every path is a key, none is the root, none lies below another or equals it.
    values: &'a [(&'a str, &'a [u8])],
    modified: Option<Modified>,
}

impl<'a> Fixed<'a> {
    /// A store that holds `values`: a path, with or without its leading slash, and the bytes there; in any order.
    ///
    /// # Panics
    /// When a path is no key, is the root, or is equal to or below another.
    pub fn new(values: &'a [(&'a str, &'a [u8])]) -> Self {
        let keys = || values.iter().map(|(path, _)| Key::new(path).expect("every path of a fixed store is a key"));
        for (at, key) in keys().enumerate() {
            assert!(!key.is_root(), "the root of a store is no value");
            for (other, above) in keys().enumerate() {
                assert!(at == other || !key.starts_with(above), "{key} is below or equal to {above}");
            }
        }
        Self { values, modified: None }
    }

    /// The same store, whose values were all last changed at `modified`.
    pub fn modified(self, modified: Modified) -> Self {
        Self { modified: Some(modified), ..self }
    }

    fn entries(&self) -> impl Iterator<Item = (Key<'a>, &'a [u8])> {
        self.values.iter().filter_map(|(path, value)| Some((Key::new(path).ok()?, *value)))
    }

    fn is_dictionary(&self, key: Key<'_>) -> bool {
        key.is_root() || self.entries().any(|(at, _)| at != key && at.starts_with(key))
    }

    fn value(&self, key: Key<'_>) -> Result<&'a [u8], ErrorKind> {
        match self.entries().find(|(at, _)| *at == key) {
            Some((_, value)) => Ok(value),
            None if self.is_dictionary(key) => Err(ErrorKind::ValueExpected),
            None => Err(ErrorKind::NotFound),
        }
    }

    /// The smallest name in the dictionary above `last`.
    fn next(&self, dictionary: Key<'_>, last: Option<&str>) -> Option<Entry<'a>> {
        self.entries()
            .filter_map(|(at, _)| at.strip_prefix(dictionary))
            .filter_map(|below| {
                let mut segments = below.segments();
                let name = segments.next()?;
                let kind = if segments.next().is_some() { Kind::Dictionary } else { Kind::Value };
                Some(Entry { name, kind })
            })
            .filter(|entry| last.is_none_or(|last| entry.name > last))
            .min_by_key(|entry| entry.name)
    }
}

impl ErrorType for Fixed<'_> {
    type Error = ErrorKind;
}

impl ReadOnly for Fixed<'_> {
    async fn exists(&self, key: Key<'_>) -> Result<Option<Kind>, ErrorKind> {
        Ok(match self.value(key) {
            Ok(_) => Some(Kind::Value),
            Err(ErrorKind::ValueExpected) => Some(Kind::Dictionary),
            Err(_) => None,
        })
    }

    async fn get<'b>(&self, key: Key<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], ErrorKind> {
        let value = self.value(key)?;
        let buffer = buffer.get_mut(..value.len()).ok_or(ErrorKind::BufferTooSmall)?;
        buffer.copy_from_slice(value);
        Ok(buffer)
    }

    async fn get_partial<'b>(&self, key: Key<'_>, offset: u64, buffer: &'b mut [u8]) -> Result<&'b [u8], ErrorKind> {
        let value = self.value(key)?;
        let rest = usize::try_from(offset).ok().and_then(|offset| value.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        let buffer = &mut buffer[..length];
        buffer.copy_from_slice(&rest[..length]);
        Ok(buffer)
    }

    async fn size(&self, key: Key<'_>) -> Result<u64, ErrorKind> {
        self.value(key).map(|value| value.len() as u64)
    }

    async fn list(&self, key: Key<'_>, mut visit: impl FnMut(Entry<'_>) -> ControlFlow<()>) -> Result<(), ErrorKind> {
        match self.value(key) {
            Ok(_) => return Err(ErrorKind::DictionaryExpected),
            Err(ErrorKind::ValueExpected) => {}
            Err(other) => return Err(other),
        }
        let mut last = None;
        while let Some(entry) = self.next(key, last) {
            if visit(entry).is_break() {
                break;
            }
            last = Some(entry.name);
        }
        Ok(())
    }

    async fn last_modified(&self, key: Key<'_>) -> Result<Option<Modified>, ErrorKind> {
        self.value(key).map(|_| self.modified)
    }

    async fn digest(&self, key: Key<'_>) -> Result<Digest, ErrorKind> {
        self.value(key).map(fingerprint)
    }
}

/// Four FNV-1a hashes from four starts, and the length: enough to tell a test's values apart.
fn fingerprint(value: &[u8]) -> Digest {
    let mut digest = [0; 32];
    for (lane, bytes) in digest.chunks_exact_mut(8).enumerate() {
        let start = 0xcbf2_9ce4_8422_2325_u64 ^ ((lane as u64) << 56) ^ value.len() as u64;
        let hash = value.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
        bytes.copy_from_slice(&hash.to_be_bytes());
    }
    Digest(digest)
}
