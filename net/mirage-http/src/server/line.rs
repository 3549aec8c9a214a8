//! The lines of a request's head (RFC 9112 §3, §5), read byte by byte and as strictly as they are written: what comes
//! first decides, so it does not matter how the head was cut on its way.

use crate::Refusal;
use crate::field::{Field, Span};
use crate::scan::{text, token, visible};

/// What a request begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestLine {
    /// Where the method ends; it begins at 0.
    pub(super) method_end: usize,
    /// Where the target ends; it begins behind a space.
    pub(super) target_end: usize,
    /// The version is 1 and this.
    pub(super) minor: u8,
    /// Where the line ends.
    pub(super) end: usize,
}

/// What follows it.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldLine {
    /// A field, and where its line ends.
    Field(Field, usize),
    /// The empty line, and where it ends.
    Empty(usize),
}

/// The line at the start of `bytes`; `None` when it is not complete.
///
/// # Errors
/// `Malformed` and `Version`.
#[inline]
pub(super) fn request_line(bytes: &[u8]) -> Result<Option<RequestLine>, Refusal> {
    let method_end = token(bytes, 0);
    let target_end = match bytes.get(method_end) {
        None => return Ok(None),
        Some(b' ') if method_end > 0 => visible(bytes, method_end + 1, b'!'),
        Some(_) => return Err(Refusal::Malformed),
    };
    match bytes.get(target_end) {
        None => return Ok(None),
        Some(b' ') if target_end > method_end + 1 => {}
        Some(_) => return Err(Refusal::Malformed),
    }
    let version_end = visible(bytes, target_end + 1, b'!');
    let Some(end) = end_of_line(bytes, version_end)? else { return Ok(None) };
    let minor = match bytes.get(target_end + 1..version_end) {
        Some(b"HTTP/1.1") => 1,
        Some(b"HTTP/1.0") => 0,
        Some([b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']) => return Err(Refusal::Version),
        _ => return Err(Refusal::Malformed),
    };
    Ok(Some(RequestLine { method_end, target_end, minor, end }))
}

/// The line of `bytes` that begins at `start`; `None` when it is not complete.
///
/// # Errors
/// `Malformed`.
#[inline]
pub(super) fn field_line(bytes: &[u8], start: usize) -> Result<Option<FieldLine>, Refusal> {
    let name_end = token(bytes, start);
    match bytes.get(name_end) {
        None => return Ok(None),
        Some(b':') if name_end > start => {}
        // A line that begins with white space goes on with the one before it: obsolete and refused. So is white space
        // before the colon (RFC 9112 §5.1).
        _ if name_end > start => return Err(Refusal::Malformed),
        _ => return Ok(end_of_line(bytes, start)?.map(FieldLine::Empty)),
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut value = name_end + 1;
    while bytes.get(value).is_some_and(is_space) {
        value += 1;
    }
    let mut value_end = text(bytes, value);
    let Some(end) = end_of_line(bytes, value_end)? else { return Ok(None) };
    while value_end > value && bytes.get(value_end - 1).is_some_and(is_space) {
        value_end -= 1;
    }
    Ok(Some(FieldLine::Field(Field { name: Span::new(start, name_end), value: Span::new(value, value_end) }, end)))
}

/// Where the line ends whose text ends at `at`. RFC 9112 §2.2 lets a lone LF end it, and a proxy before us might not.
fn end_of_line(bytes: &[u8], at: usize) -> Result<Option<usize>, Refusal> {
    match bytes.get(at..).unwrap_or_default() {
        [] | [b'\r'] => Ok(None),
        [b'\r', b'\n', ..] => Ok(Some(at + 2)),
        _ => Err(Refusal::Malformed),
    }
}
