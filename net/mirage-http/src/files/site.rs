//! A store as a web site.

use mirage_kv::{Digest, ErrorKind, Key, Kind, Modified, ReadOnly};

use crate::range::Range;
use crate::server::{Request, Sending};
use crate::{Error, Exchange, Io, Length, Method, Sent, Status, content_type, decode_path};

use super::conditions::Validators;

/// What a dictionary shows.
const INDEX: &str = "/index.html";

/// A store as a web site: each value is a file, and a dictionary shows its `index.html`.
///
/// Files have a strong `ETag` (from the store's digest) and `Last-Modified` where the store knows it; `If-None-Match`,
/// `If-Modified-Since`, `Range` and `If-Range` are honoured, `HEAD` answered. Of several ranges the whole is sent.
#[derive(Clone, Copy, Debug)]
pub struct Site<'s, S> {
    store: S,
    fields: &'s [(&'s str, &'s [u8])],
}

impl<'s, S: ReadOnly> Site<'s, S> {
    /// A site of what `store` holds.
    pub const fn new(store: S) -> Self {
        Self { store, fields: &[] }
    }

    /// The same site, whose files all come with these fields, at most 4: `Cache-Control`, say.
    pub fn with_fields(self, fields: &'s [(&'s str, &'s [u8])]) -> Self {
        Self { fields: fields.get(..4).unwrap_or(fields), ..self }
    }

    /// Answers a request for `path`, which is coded as it came and begins with a slash.
    ///
    /// `buffer` holds the path and the part of the file that is on its way: a larger one means fewer, larger writes. It
    /// must be longer than the path by at least 512 bytes.
    ///
    /// # Errors
    /// What the exchange fails with, and `Store`.
    pub async fn respond<I: Io>(
        &self,
        request: &Request<'_>,
        path: &str,
        exchange: Exchange<'_, I>,
        buffer: &mut [u8],
    ) -> Result<Sent, Error> {
        let mut exchange = exchange;
        let (names, bytes) = buffer.split_at_mut_checked(path.len() + INDEX.len()).unwrap_or_default();
        let mut answer = ask(request.method(), path, names, bytes.len());
        while let Answer::Ask(asked, end) = answer {
            let there = match key(names, end) {
                Some(key) => self.store.exists(key).await.map_err(failed)?,
                None => None,
            };
            answer = look(asked, end, there, names);
        }
        let file = match answer {
            Answer::File(end) => key(names, end),
            _ => None,
        };
        let about = match file {
            Some(key) => Some(About {
                size: self.store.size(key).await.map_err(failed)?,
                digest: self.store.digest(key).await.map_err(failed)?,
                modified: self.store.last_modified(key).await.map_err(failed)?,
            }),
            None => None,
        };
        let (sending, mut part) = loop {
            let begun = match (&about, file) {
                (Some(about), Some(key)) => about.begin(request, key, self.fields, &mut exchange)?,
                _ => refuse(&answer, path, bytes, &mut exchange)?,
            };
            match begun {
                Some(begun) => break begun,
                None => exchange.make_room().await?,
            }
        };
        let mut streaming = exchange.begun(sending);
        while part.at < part.end && streaming.has_body() {
            let most = usize::try_from(part.end - part.at).unwrap_or(usize::MAX).min(bytes.len());
            let piece = bytes.get_mut(..most).unwrap_or_default();
            let piece = match (part.reason, file) {
                (None, Some(key)) => self.store.get_partial(key, part.at, piece).await.map_err(failed)?,
                (reason, _) => reason.unwrap_or_default().as_bytes(),
            };
            if piece.is_empty() {
                // The value became shorter while it was read.
                return Err(Error::Length);
            }
            streaming.write(piece).await?;
            part.at += piece.len() as u64;
        }
        streaming.finish().await
    }
}

/// What comes next.
enum Answer {
    /// To ask the store for the name in the first so many bytes.
    Ask(Asked, usize),
    /// The file of that name.
    File(usize),
    /// The path with a slash behind it.
    Redirect,
    /// Only that.
    Refuse(Status),
}

/// What to ask the store for, when there are `room` bytes beside `names`.
fn ask(method: Method, path: &str, names: &mut [u8], room: usize) -> Answer {
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
fn look(asked: Asked, end: usize, there: Option<Kind>, names: &mut [u8]) -> Answer {
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

/// Begins to say what `answer` says, with the help of `bytes`.
#[inline(never)]
fn refuse<I: Io>(answer: &Answer, path: &str, bytes: &mut [u8], exchange: &mut Exchange<'_, I>) -> Begun {
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
    begin(exchange, status, field.as_slice(), 0, status.reason().len() as u64, true)
}

/// How a body is sent and what of it; `None` when there must be room first.
type Begun = Result<Option<(Sending, Part)>, Error>;

/// What is sent.
struct Part {
    at: u64,
    end: u64,
    /// Instead of what the store holds.
    reason: Option<&'static str>,
}

fn begin<I: Io>(
    exchange: &mut Exchange<'_, I>,
    status: Status,
    fields: &[(&str, &[u8])],
    at: u64,
    length: u64,
    reason: bool,
) -> Begun {
    let part = Part { at, end: at + length, reason: reason.then(|| status.reason()) };
    Ok(exchange.begin(status, fields, Length::Known(length))?.map(|sending| (sending, part)))
}

/// A file.
struct About {
    size: u64,
    digest: Digest,
    modified: Option<Modified>,
}

impl About {
    /// Begins to send what of the file at `key` the request asks for.
    #[inline(never)]
    fn begin<I: Io>(
        &self,
        request: &Request<'_>,
        key: Key<'_>,
        more: &[(&str, &[u8])],
        exchange: &mut Exchange<'_, I>,
    ) -> Begun {
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
                let status = Status::RANGE_NOT_SATISFIABLE;
                return begin(exchange, status, &fields, 0, status.reason().len() as u64, true);
            }
        };
        if status != Status::NOT_MODIFIED {
            let _ = fields.push(("Content-Type", content_type(key.as_str()).as_bytes()));
            let _ = fields.push(("Accept-Ranges", b"bytes"));
        }
        begin(exchange, status, &fields, at, length, false)
    }
}

/// What the path may lead to.
#[derive(Clone, Copy)]
enum Asked {
    /// It does not end in a slash.
    Value,
    /// It does.
    Dictionary,
    /// The name of the index was put behind the slash.
    Index,
}

/// The key in the first `length` bytes.
fn key(names: &[u8], length: usize) -> Option<Key<'_>> {
    Key::new(core::str::from_utf8(names.get(..length)?).ok()?).ok()
}

fn failed(error: impl mirage_kv::Error) -> Error {
    match error.kind() {
        ErrorKind::Other => Error::Failed,
        kind => Error::Store(kind),
    }
}
