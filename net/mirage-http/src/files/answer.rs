//! What a path leads to and what is said of it: the same for every store.

use mirage_kv::{Digest, Key, Kind, Modified};

use crate::range::Range;
use crate::server::Request;
use crate::{Method, Status, content_type, decode_path};

use super::conditions::Validators;

/// What a dictionary shows.
pub(super) const INDEX: &str = "/index.html";

/// What comes next.
pub(super) enum Answer {
    /// To ask the store for the name in the first so many bytes.
    Ask(Asked, usize),
    /// The file of that name.
    File(usize),
    /// The path with a slash behind it.
    Redirect,
    /// Only that.
    Refuse(Status),
}

/// What the path may lead to.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    /// It does not end in a slash.
    Value,
    /// It does.
    Dictionary,
    /// The name of the index was put behind the slash.
    Index,
}

/// Starts an answer: its status, fields and length.
pub(super) type Tell<'t> = &'t mut dyn FnMut(Status, &[(&str, &[u8])], u64);

/// What to ask the store for, when there are `room` bytes beside `names`.
pub(super) fn ask(method: Method, path: &str, names: &mut [u8], room: usize) -> Answer {
    if !matches!(method, Method::Get | Method::Head) {
        return Answer::Refuse(Status::METHOD_NOT_ALLOWED);
    }
    if room < 500 {
        return Answer::Refuse(Status::URI_TOO_LONG);
    }
    match decode_path(path, names) {
        Ok(path) if path.ends_with('/') => Answer::Ask(Asked::Dictionary, path.len()),
        Ok(path) => Answer::Ask(Asked::Value, path.len()),
        Err(_) => Answer::Refuse(Status::BAD_REQUEST),
    }
}

/// What comes of it that `there` is at the name of `end` bytes.
pub(super) fn look(asked: Asked, end: usize, there: Option<Kind>, names: &mut [u8]) -> Answer {
    match (there, asked) {
        (Some(Kind::Value), Asked::Value | Asked::Index) => Answer::File(end),
        // Without the slash the links of the index would lead elsewhere.
        (Some(Kind::Dictionary), Asked::Value) => Answer::Redirect,
        (Some(Kind::Dictionary), Asked::Dictionary) => {
            let start = end - 1;
            let end = start + INDEX.len();
            if let Some(place) = names.get_mut(start..end) {
                place.copy_from_slice(INDEX.as_bytes());
            }
            Answer::Ask(Asked::Index, end)
        }
        _ => Answer::Refuse(Status::NOT_FOUND),
    }
}

/// Says what `answer` says, with the help of `bytes`, and what its body is.
#[inline(never)]
pub(super) fn refuse(answer: &Answer, path: &str, bytes: &mut [u8], tell: Tell<'_>) -> &'static str {
    let (status, field) = match answer {
        Answer::Refuse(status) if *status == Status::METHOD_NOT_ALLOWED => {
            (*status, Some(("Allow", &b"GET, HEAD"[..])))
        }
        Answer::Refuse(status) => (*status, None),
        _ => {
            let location = bytes.get_mut(..path.len() + 1).unwrap_or_default();
            match location.split_last_mut() {
                Some((slash, copy)) => {
                    *slash = b'/';
                    copy.copy_from_slice(path.as_bytes());
                    (Status::PERMANENT_REDIRECT, Some(("Location", &*location)))
                }
                None => (Status::URI_TOO_LONG, None),
            }
        }
    };
    let reason = status.reason();
    tell(status, field.as_slice(), reason.len() as u64);
    reason
}

/// A file.
pub(super) struct About {
    pub(super) size: u64,
    pub(super) digest: Digest,
    pub(super) modified: Option<Modified>,
}

/// What is sent of a file.
pub(super) struct Part {
    pub(super) at: u64,
    pub(super) end: u64,
    /// Instead of what the store holds.
    pub(super) reason: Option<&'static str>,
}

impl About {
    /// Says which part of the file at `key` the request gets.
    #[inline(never)]
    pub(super) fn tell(&self, request: &Request<'_>, key: Key<'_>, more: &[(&str, &[u8])], tell: Tell<'_>) -> Part {
        let size = self.size;
        let validators = Validators::new(&self.digest, self.modified);
        let mut text = [0; 70];
        let mut fields = heapless::Vec::<(&str, &[u8]), 9>::new();
        // Five fields of ours and four of the site fit.
        let _ = fields.push(("ETag", &validators.tag));
        if let Some((_, text)) = &validators.modified {
            let _ = fields.push(("Last-Modified", text));
        }
        let _ = fields.extend_from_slice(more);
        let known = validators.is_known(request.fields());
        let range = match request.method() {
            Method::Get if !known => validators.range(request.fields(), size),
            // RFC 9110 §14.2: "A server MUST ignore a Range header field received with a request method that is
            // unrecognized or for which range handling is not defined."
            _ => Range::Whole,
        };
        if let Some(part) = range.content_range(size, &mut text) {
            let _ = fields.push(("Content-Range", part));
        }
        let (status, at, length) = match range {
            // No body goes with it.
            Range::Whole if known => (Status::NOT_MODIFIED, 0, size),
            Range::Whole => (Status::OK, 0, size),
            Range::Part { first, last } => (Status::PARTIAL_CONTENT, first, last - first + 1),
            Range::Unsatisfiable => {
                let reason = Status::RANGE_NOT_SATISFIABLE.reason();
                tell(Status::RANGE_NOT_SATISFIABLE, &fields, reason.len() as u64);
                return Part { at: 0, end: reason.len() as u64, reason: Some(reason) };
            }
        };
        if status != Status::NOT_MODIFIED {
            let _ = fields.push(("Content-Type", content_type(key.as_str()).as_bytes()));
            let _ = fields.push(("Accept-Ranges", b"bytes"));
        }
        tell(status, &fields, length);
        Part { at, end: at + length, reason: None }
    }
}

/// The key in the first `length` bytes.
pub(super) fn key(names: &[u8], length: usize) -> Option<Key<'_>> {
    Key::new(core::str::from_utf8(names.get(..length)?).ok()?).ok()
}
