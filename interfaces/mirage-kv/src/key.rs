//! Keys are paths.

use core::fmt;

/// A path: segments separated by `/`. The root is the empty path.
///
/// A key is canonical, so equal paths are equal bytes: no leading, trailing or double slash, and no segment `.` or
/// `..`, so a key never leads out of its store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    /// Invariant: canonical; without the leading slash.
    path: &'a str,
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Two slashes with nothing between them.
    EmptySegment,
    /// A segment `.` or `..`.
    DotSegment,
    /// A NUL byte.
    Nul,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptySegment => "a key has no empty segment",
            Self::DotSegment => "a key has no segment `.` or `..`",
            Self::Nul => "a key has no NUL byte",
        })
    }
}

impl core::error::Error for KeyError {}

impl<'a> Key<'a> {
    /// The root: the dictionary that holds everything.
    pub const ROOT: Self = Self { path: "" };

    /// The key that `path` spells; one leading and one trailing slash are ignored.
    ///
    /// # Errors
    /// [`KeyError`] when `path` is not a canonical path.
    pub fn new(path: &'a str) -> Result<Self, KeyError> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Ok(Self::ROOT);
        }
        for segment in path.split('/') {
            match segment {
                "" => return Err(KeyError::EmptySegment),
                "." | ".." => return Err(KeyError::DotSegment),
                _ if segment.contains('\0') => return Err(KeyError::Nul),
                _ => {}
            }
        }
        Ok(Self { path })
    }

    /// The path without a leading slash; empty for the root.
    pub const fn as_str(self) -> &'a str {
        self.path
    }

    /// Whether this is the root.
    pub const fn is_root(self) -> bool {
        self.path.is_empty()
    }

    /// The segments from the root down; none for the root.
    pub fn segments(self) -> impl DoubleEndedIterator<Item = &'a str> {
        self.path.split('/').filter(|segment| !segment.is_empty())
    }

    /// The last segment; `None` for the root.
    pub fn name(self) -> Option<&'a str> {
        self.segments().next_back()
    }

    /// The dictionary this key is in; `None` for the root.
    pub fn parent(self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self { path: self.path.rsplit_once('/').map_or("", |(parent, _)| parent) })
    }

    /// Whether this key is `ancestor` or lies below it. By segments: `/ab` is not below `/a`.
    pub fn starts_with(self, ancestor: Key<'_>) -> bool {
        self.strip_prefix(ancestor).is_some()
    }

    /// The rest of this key below `ancestor`, the root when they are equal; `None` when it is not below it.
    pub fn strip_prefix(self, ancestor: Key<'_>) -> Option<Self> {
        if ancestor.is_root() {
            return Some(self);
        }
        match self.path.strip_prefix(ancestor.path)? {
            "" => Some(Self::ROOT),
            rest => rest.strip_prefix('/').map(|path| Self { path }),
        }
    }
}

impl fmt::Display for Key<'_> {
    /// The path with its leading slash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.path)
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(/{})", self.path)
    }
}
