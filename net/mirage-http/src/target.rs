//! What a request is for (RFC 9112 §3.2), and the path in it.

use core::fmt;

use crate::writer::parse_nibble;
use crate::{Method, cut};

/// A request's target in one of its four forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `/path?query`.
    Origin {
        /// The path as it was sent, percent signs and all; begins with a slash.
        path: &'a str,
        /// What follows the question mark.
        query: Option<&'a str>,
    },
    /// `http://authority/path?query`, as proxies get it. Its authority counts and `Host` does not.
    Absolute {
        /// Host and port.
        authority: &'a str,
        /// As above; `/` when it was empty.
        path: &'a str,
        /// As above.
        query: Option<&'a str>,
    },
    /// `host:port`, for `CONNECT` only.
    Authority(&'a str),
    /// `*`, for `OPTIONS` only.
    Asterisk,
}

impl<'a> Target<'a> {
    /// The target that `text` spells in a request of this method; `None` when it spells none.
    pub fn new(method: Method, text: &'a str) -> Option<Self> {
        if !text.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'#') {
            return None;
        }
        if method == Method::Connect {
            return is_authority(text).then_some(Self::Authority(text));
        }
        if text.starts_with('/') {
            let (path, query) = split(text);
            return Some(Self::Origin { path, query });
        }
        if text == "*" {
            return (method == Method::Options).then_some(Self::Asterisk);
        }
        let (scheme, rest) = cut::once(text, b':')?;
        let rest = rest.strip_prefix("//")?;
        if !cut::same(scheme.as_bytes(), b"http") && !cut::same(scheme.as_bytes(), b"https") {
            return None;
        }
        let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        if authority.is_empty() || !is_authority(authority) {
            return None;
        }
        let (path, query) = split(rest);
        Some(Self::Absolute { authority, path: if path.is_empty() { "/" } else { path }, query })
    }

    /// The path as it was sent; `*` and an authority have none.
    #[inline]
    pub fn path(&self) -> &'a str {
        match *self {
            Self::Origin { path, .. } | Self::Absolute { path, .. } => path,
            Self::Authority(_) | Self::Asterisk => "",
        }
    }

    /// What follows the question mark.
    pub fn query(&self) -> Option<&'a str> {
        match *self {
            Self::Origin { query, .. } | Self::Absolute { query, .. } => query,
            Self::Authority(_) | Self::Asterisk => None,
        }
    }
}

/// Why a path has no decoded form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// A percent sign without two hexadecimal digits, a coded NUL or slash, or bytes that are not UTF-8.
    Malformed,
    /// It does not begin with a slash.
    NotAbsolute,
    /// The buffer is shorter than the path; one as long as the coded path always does.
    BufferTooSmall,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the path is malformed",
            Self::NotAbsolute => "the path does not begin with a slash",
            Self::BufferTooSmall => "the buffer is shorter than the path",
        })
    }
}

impl core::error::Error for PathError {}

/// The path without percent signs and without dot segments (RFC 3986 §5.2.4), in `buffer`.
///
/// Dots are removed after decoding, so `/%2e%2e/` is `/../` and ends at the root: no path leads out. A coded slash is
/// refused, because the two readings of it differ.
///
/// ```
/// let mut buffer = [0; 64];
/// assert_eq!(mirage_http::decode_path("/a%20b/./c/%2E%2e/d", &mut buffer), Ok("/a b/d"));
/// assert_eq!(mirage_http::decode_path("/../../etc", &mut buffer), Ok("/etc"));
/// ```
///
/// # Errors
/// [`PathError`].
pub fn decode_path<'b>(path: &str, buffer: &'b mut [u8]) -> Result<&'b str, PathError> {
    let segments = path.strip_prefix('/').ok_or(PathError::NotAbsolute)?;
    let mut end = 0;
    let mut segments = Some(segments);
    while let Some(left) = segments {
        let (segment, rest) = cut::once(left, b'/').map_or((left, None), |(segment, rest)| (segment, Some(rest)));
        segments = rest;
        let start = end;
        append(buffer, &mut end, b'/')?;
        decode(segment.as_bytes(), buffer, &mut end)?;
        let decoded = buffer.get(start + 1..end).unwrap_or_default();
        let up = match decoded {
            b"." => false,
            b".." => true,
            _ => continue,
        };
        end = start;
        if up {
            let before = buffer.get(..start).unwrap_or_default();
            end = before.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        }
        if segments.is_none() {
            append(buffer, &mut end, b'/')?;
        }
    }
    core::str::from_utf8(buffer.get(..end).unwrap_or_default()).map_err(|_| PathError::Malformed)
}

fn decode(segment: &[u8], buffer: &mut [u8], end: &mut usize) -> Result<(), PathError> {
    let mut bytes = segment.iter();
    while let Some(byte) = bytes.next() {
        let mut byte = *byte;
        if byte == b'%' {
            let mut digit = || bytes.next().copied().and_then(parse_nibble).ok_or(PathError::Malformed);
            byte = digit()? << 4 | digit()?;
            if matches!(byte, 0 | b'/') {
                return Err(PathError::Malformed);
            }
        }
        append(buffer, end, byte)?;
    }
    Ok(())
}

fn append(buffer: &mut [u8], end: &mut usize, byte: u8) -> Result<(), PathError> {
    *buffer.get_mut(*end).ok_or(PathError::BufferTooSmall)? = byte;
    *end += 1;
    Ok(())
}

fn split(text: &str) -> (&str, Option<&str>) {
    match cut::once(text, b'?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    }
}

/// Whether `text` may be a host and a port (RFC 3986 §3.2): neither user nor anything that ends an authority.
pub(crate) fn is_authority(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.'
                    | b'_'
                    | b'~'
                    | b'!'
                    | b'$'
                    | b'&'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'+'
                    | b','
                    | b';'
                    | b'='
                    | b':'
                    | b'['
                    | b']'
                    | b'%'
            )
    })
}
