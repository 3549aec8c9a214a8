//! Parts of a value (RFC 9110 §14).

use crate::cut::same;
use crate::field::members;
use crate::writer::{Writer, parse_decimal};

/// What a `Range` field asks of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// All of it: the field is not understood, or asks for several parts. RFC 9110 §14.2 lets a server ignore it, and
    /// an answer in several parts is a known way to make a server send much for little.
    Whole,
    /// The bytes from `first` to `last`, both included; `first` ≤ `last`, and both are in the value.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte.
        last: u64,
    },
    /// Nothing that is there: 416.
    Unsatisfiable,
}

impl Range {
    /// What `field` asks of a value of `size` bytes.
    pub fn new(field: &[u8], size: u64) -> Self {
        Self::parse(field, size).unwrap_or(Self::Whole)
    }

    fn parse(field: &[u8], size: u64) -> Option<Self> {
        let (unit, ranges) = field.split_at_checked(6)?;
        if !same(unit, b"bytes=") {
            return None;
        }
        let mut ranges = members(ranges);
        let range = ranges.next()?;
        if ranges.next().is_some() {
            return None;
        }
        let dash = range.iter().position(|byte| *byte == b'-')?;
        let (first, last) = (range.get(..dash)?, range.get(dash + 1..)?);
        let end = size.checked_sub(1);
        Some(match (first, last) {
            (b"", suffix) => match (parse_decimal(suffix)?, end) {
                (0, _) | (_, None) => Self::Unsatisfiable,
                (length, Some(end)) => Self::Part { first: size.saturating_sub(length), last: end },
            },
            (first, last) => {
                let first = parse_decimal(first)?;
                let last = if last.is_empty() { u64::MAX } else { parse_decimal(last)? };
                match end {
                    _ if last < first => return None,
                    Some(end) if first <= end => Self::Part { first, last: last.min(end) },
                    _ => Self::Unsatisfiable,
                }
            }
        })
    }

    /// The value of `Content-Range` that goes with it, in `text`; for the whole there is none.
    pub fn content_range(self, size: u64, text: &mut [u8; 70]) -> Option<&[u8]> {
        let mut writer = Writer::new(text);
        match self {
            Self::Whole => return None,
            Self::Part { first, last } => {
                writer.put(b"bytes ");
                writer.put_decimal(first);
                writer.put(b"-");
                writer.put_decimal(last);
            }
            Self::Unsatisfiable => writer.put(b"bytes *"),
        }
        writer.put(b"/");
        writer.put_decimal(size);
        let length = writer.finish()?;
        text.get(..length)
    }
}
