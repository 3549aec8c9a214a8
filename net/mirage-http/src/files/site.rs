//! A store as a web site.

use mirage_kv::{ErrorKind, Key, Kind, ReadOnly};

use crate::range::Range;
use crate::server::Request;
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
        let (status, fields) = 'refused: {
            if !matches!(request.method(), Method::Get | Method::Head) {
                break 'refused (Status::METHOD_NOT_ALLOWED, ("Allow", &b"GET, HEAD"[..]));
            }
            let names = path.len() + INDEX.len();
            let (names, bytes) = match buffer.split_at_mut_checked(names) {
                Some((names, bytes)) if bytes.len() >= 500 => (names, bytes),
                _ => break 'refused (Status::URI_TOO_LONG, NOTHING),
            };
            let Ok(mut end) = decode_path(path, names).map(str::len) else {
                break 'refused (Status::BAD_REQUEST, NOTHING);
            };
            let slashed = names.get(..end).is_some_and(|path| path.ends_with(b"/"));
            let mut asked = if slashed { Asked::Dictionary } else { Asked::Value };
            loop {
                let Some(key) = key(names, end) else { break 'refused (Status::NOT_FOUND, NOTHING) };
                match (self.store.exists(key).await.map_err(failed)?, asked) {
                    (Some(Kind::Value), Asked::Value | Asked::Index) => {
                        return self.file(request, key, exchange, bytes).await;
                    }
                    (Some(Kind::Dictionary), Asked::Value) => {
                        // Without the slash the links of the index would lead elsewhere.
                        let location = bytes.get_mut(..path.len() + 1).unwrap_or_default();
                        let Some((slash, copy)) = location.split_last_mut() else {
                            break 'refused (Status::URI_TOO_LONG, NOTHING);
                        };
                        *slash = b'/';
                        copy.copy_from_slice(path.as_bytes());
                        break 'refused (Status::PERMANENT_REDIRECT, ("Location", &*location));
                    }
                    (Some(Kind::Dictionary), Asked::Dictionary) => {
                        let start = end - 1;
                        end = start + INDEX.len();
                        if let Some(place) = names.get_mut(start..end) {
                            place.copy_from_slice(INDEX.as_bytes());
                        }
                        asked = Asked::Index;
                    }
                    _ => break 'refused (Status::NOT_FOUND, NOTHING),
                }
            }
        };
        let fields = &[fields];
        let fields = if status == Status::METHOD_NOT_ALLOWED || status == Status::PERMANENT_REDIRECT {
            &fields[..]
        } else {
            &[]
        };
        exchange.send(status, fields, status.reason().as_bytes()).await
    }

    async fn file<I: Io>(
        &self,
        request: &Request<'_>,
        key: Key<'_>,
        exchange: Exchange<'_, I>,
        buffer: &mut [u8],
    ) -> Result<Sent, Error> {
        let size = self.store.size(key).await.map_err(failed)?;
        let digest = self.store.digest(key).await.map_err(failed)?;
        let validators = Validators::new(&digest, self.store.last_modified(key).await.map_err(failed)?);
        let mut text = [0; 70];
        let mut fields = heapless::Vec::<(&str, &[u8]), 9>::new();
        // Five fields of ours and four of the site fit.
        let _ = fields.push(("ETag", &validators.tag));
        if let Some((_, text)) = &validators.modified {
            let _ = fields.push(("Last-Modified", text));
        }
        let _ = fields.extend_from_slice(self.fields);
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
        let (status, mut at, length) = match range {
            // No body goes with it.
            Range::Whole if known => (Status::NOT_MODIFIED, 0, size),
            Range::Whole => (Status::OK, 0, size),
            Range::Part { first, last } => (Status::PARTIAL_CONTENT, first, last - first + 1),
            Range::Unsatisfiable => {
                (Status::RANGE_NOT_SATISFIABLE, 0, Status::RANGE_NOT_SATISFIABLE.reason().len() as u64)
            }
        };
        if matches!(status, Status::OK | Status::PARTIAL_CONTENT) {
            let _ = fields.push(("Content-Type", content_type(key.as_str()).as_bytes()));
            let _ = fields.push(("Accept-Ranges", b"bytes"));
        }
        let mut streaming = exchange.start(status, &fields, Length::Known(length)).await?;
        let end = at + length;
        while at < end && streaming.has_body() {
            let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
            let part = buffer.get_mut(..most).unwrap_or_default();
            let part = match status {
                Status::RANGE_NOT_SATISFIABLE => status.reason().as_bytes(),
                _ => self.store.get_partial(key, at, part).await.map_err(failed)?,
            };
            if part.is_empty() {
                // The value became shorter while it was read.
                return Err(Error::Length);
            }
            streaming.write(part).await?;
            at += part.len() as u64;
        }
        streaming.finish().await
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

const NOTHING: (&str, &[u8]) = ("", b"");

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
