//! Whether the peer already has what it asks for.

use mirage_kv::{Digest, Modified};

use crate::field::members;
use crate::range::Range;
use crate::writer::nibble;
use crate::{Fields, date};

/// What tells one version of a file from another.
pub(super) struct Validators {
    /// A strong tag with its quotes: the first 16 bytes of the digest.
    pub(super) tag: [u8; 34],
    /// When the file was changed: whole seconds, and as text.
    pub(super) modified: Option<(i64, [u8; 29])>,
}

impl Validators {
    pub(super) fn new(digest: &Digest, modified: Option<Modified>) -> Self {
        let mut tag = [b'"'; 34];
        for (byte, digits) in digest.0.iter().zip(tag[1..33].chunks_exact_mut(2)) {
            digits.copy_from_slice(&[nibble(byte >> 4), nibble(byte & 15)]);
        }
        let modified = modified.and_then(|modified| Some((modified.seconds, date::format(modified.seconds)?)));
        Self { tag, modified }
    }

    /// Whether the peer has this version: 304 (RFC 9110 §13.2.2).
    #[inline(never)]
    pub(super) fn is_known(&self, fields: Fields<'_>) -> bool {
        let mut tags = fields.all("if-none-match").peekable();
        if tags.peek().is_some() {
            // RFC 9110 §13.1.2: the weak comparison. And §13.1.3: then `If-Modified-Since` does not count.
            return tags.flat_map(members).any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.tag);
        }
        match (fields.get("if-modified-since").and_then(date::parse), self.modified) {
            (Some(since), Some((modified, _))) => modified <= since,
            _ => false,
        }
    }

    /// The part of the file that is asked for.
    pub(super) fn range(&self, fields: Fields<'_>, size: u64) -> Range {
        let Some(range) = fields.get("range") else { return Range::Whole };
        let same = match (fields.get("if-range"), &self.modified) {
            (None, _) => true,
            // RFC 9110 §13.1.5: the strong comparison, and a date only if it is exactly ours.
            (Some(validator), _) if validator.starts_with(b"\"") => validator == self.tag,
            (Some(validator), Some((_, text))) => validator == text,
            (Some(_), None) => false,
        };
        if same { Range::new(range, size) } else { Range::Whole }
    }
}
