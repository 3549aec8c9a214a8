//! A table of files that is part of the image.

use core::cmp::Ordering;
use core::ops::ControlFlow;

use mirage_kv::{Digest, Entry, ErrorKind, ErrorType, Key, Kind, Modified, ReadOnly};

use crate::order;

/// One file.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path: canonical, without a leading slash.
    pub path: &'static str,
    /// What it holds.
    pub bytes: &'static [u8],
    /// When it was last changed, where that is known.
    pub modified: Option<Modified>,
    /// A digest of `bytes`: SHA-256 when the table was written by `build::embed`.
    pub digest: Digest,
}

/// Files in the image: a sorted table, searched by halves.
///
/// It takes three words and copies nothing until it is read. A lookup costs about log₂ *n* comparisons of paths.
#[derive(Clone, Copy, Debug)]
pub struct Files {
    /// Invariant: ascending by [`order::compare`], canonical, none at or below another.
    files: &'static [File],
}

impl Files {
    /// A store that holds `files`, which ascend by their lists of segments.
    ///
    /// # Panics
    /// When they do not ascend, when a path is not canonical, or when a file lies below another. In a `static` that is
    /// an error of compilation.
    pub const fn new(files: &'static [File]) -> Self {
        let mut at = 0;
        while at < files.len() {
            let path = files[at].path.as_bytes();
            assert!(order::is_canonical(path), "the path of an embedded file is not canonical");
            if at > 0 {
                let before = files[at - 1].path.as_bytes();
                assert!(matches!(order::compare(before, path), Ordering::Less), "embedded files are not sorted");
                assert!(!order::is_at_or_below(path, before), "an embedded file lies below another");
            }
            at += 1;
        }
        Self { files }
    }

    /// All files, ascending.
    pub const fn as_slice(&self) -> &'static [File] {
        self.files
    }

    /// The file at `key`: its bytes lie in the image and can be used without a copy.
    ///
    /// # Errors
    /// `NotFound`; `ValueExpected` when it is a dictionary.
    pub fn file(&self, key: Key<'_>) -> Result<&'static File, ErrorKind> {
        let path = key.as_str();
        match self.files.get(self.first(path)) {
            Some(file) if file.path == path => Ok(file),
            Some(file) if order::is_at_or_below(file.path.as_bytes(), path.as_bytes()) => Err(ErrorKind::ValueExpected),
            None if key.is_root() => Err(ErrorKind::ValueExpected),
            _ => Err(ErrorKind::NotFound),
        }
    }

    /// The run of files at `key` or below it.
    fn at_or_below(&self, key: Key<'_>) -> &'static [File] {
        let path = key.as_str();
        let rest = self.files.get(self.first(path)..).unwrap_or_default();
        let end = rest.partition_point(|file| order::is_at_or_below(file.path.as_bytes(), path.as_bytes()));
        rest.get(..end).unwrap_or_default()
    }

    /// The index of the first file that is not before `path`.
    fn first(&self, path: &str) -> usize {
        // That they are equal is seen in one step; the order is looked for byte by byte.
        let is_before =
            |file: &File| file.path != path && order::compare(file.path.as_bytes(), path.as_bytes()).is_lt();
        self.files.partition_point(is_before)
    }
}

impl ErrorType for Files {
    type Error = ErrorKind;
}

impl ReadOnly for Files {
    async fn exists(&self, key: Key<'_>) -> Result<Option<Kind>, ErrorKind> {
        Ok(match self.file(key) {
            Ok(_) => Some(Kind::Value),
            Err(ErrorKind::ValueExpected) => Some(Kind::Dictionary),
            Err(_) => None,
        })
    }

    async fn get<'b>(&self, key: Key<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], ErrorKind> {
        let bytes = self.file(key)?.bytes;
        let buffer = buffer.get_mut(..bytes.len()).ok_or(ErrorKind::BufferTooSmall)?;
        // The one copy: out of the image, into the caller's buffer, as the interface has it.
        buffer.copy_from_slice(bytes);
        Ok(buffer)
    }

    async fn get_partial<'b>(&self, key: Key<'_>, offset: u64, buffer: &'b mut [u8]) -> Result<&'b [u8], ErrorKind> {
        let bytes = self.file(key)?.bytes;
        let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        let (buffer, _) = buffer.split_at_mut(length);
        buffer.copy_from_slice(rest.split_at(length).0);
        Ok(buffer)
    }

    async fn size(&self, key: Key<'_>) -> Result<u64, ErrorKind> {
        self.file(key).map(|file| file.bytes.len() as u64)
    }

    async fn list(&self, key: Key<'_>, mut visit: impl FnMut(Entry<'_>) -> ControlFlow<()>) -> Result<(), ErrorKind> {
        match self.file(key) {
            Ok(_) => return Err(ErrorKind::DictionaryExpected),
            Err(ErrorKind::ValueExpected) => {}
            Err(other) => return Err(other),
        }
        let skip = if key.is_root() { 0 } else { key.as_str().len() + 1 };
        let mut last = None;
        for file in self.at_or_below(key) {
            let below = file.path.get(skip..).unwrap_or_default();
            let (name, kind) = match below.split_once('/') {
                Some((name, _)) => (name, Kind::Dictionary),
                None => (below, Kind::Value),
            };
            if last == Some(name) {
                continue;
            }
            if visit(Entry { name, kind }).is_break() {
                break;
            }
            last = Some(name);
        }
        Ok(())
    }

    async fn last_modified(&self, key: Key<'_>) -> Result<Option<Modified>, ErrorKind> {
        self.file(key).map(|file| file.modified)
    }

    async fn digest(&self, key: Key<'_>) -> Result<Digest, ErrorKind> {
        self.file(key).map(|file| file.digest)
    }
}
