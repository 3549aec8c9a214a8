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
        if !matches!(request.method(), Method::Get | Method::Head) {
            return say(exchange, Status::METHOD_NOT_ALLOWED, &[("Allow", b"GET, HEAD")]).await;
        }
        let names = path.len() + INDEX.len();
        let (names, bytes) = match buffer.split_at_mut_checked(names) {
            Some((names, bytes)) if bytes.len() >= 500 => (names, bytes),
            _ => return say(exchange, Status::URI_TOO_LONG, &[]).await,
        };
        let Ok(decoded) = decode_path(path, names).map(str::len) else {
            return say(exchange, Status::BAD_REQUEST, &[]).await;
        };
        let slashed = names.get(..decoded).is_some_and(|path| path.ends_with(b"/"));
        let Some(key) = key(names, decoded) else { return say(exchange, Status::NOT_FOUND, &[]).await };
        match (self.store.exists(key).await.map_err(failed)?, slashed) {
            (Some(Kind::Value), false) => self.file(request, key, exchange, bytes).await,
            (Some(Kind::Dictionary), false) => {
                // Without the slash the links of the index would lead elsewhere.
                let location = bytes.get_mut(..path.len() + 1).unwrap_or_default();
                let Some((slash, copy)) = location.split_last_mut() else {
                    return say(exchange, Status::URI_TOO_LONG, &[]).await;
                };
                *slash = b'/';
                copy.copy_from_slice(path.as_bytes());
                say(exchange, Status::PERMANENT_REDIRECT, &[("Location", location)]).await
            }
            (Some(Kind::Dictionary), true) => {
                let end = decoded - 1 + INDEX.len();
                if let Some(place) = names.get_mut(decoded - 1..end) {
                    place.copy_from_slice(INDEX.as_bytes());
                }
                match self::key(names, end) {
                    Some(key) if self.store.exists(key).await.map_err(failed)? == Some(Kind::Value) => {
                        self.file(request, key, exchange, bytes).await
                    }
                    _ => say(exchange, Status::NOT_FOUND, &[]).await,
                }
            }
            _ => say(exchange, Status::NOT_FOUND, &[]).await,
        }
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
        if validators.is_known(request.fields()) {
            let streaming = exchange.start(Status::NOT_MODIFIED, &fields, Length::Known(size)).await?;
            return streaming.finish().await;
        }
        let range = match request.method() {
            Method::Get => validators.range(request.fields(), size),
            // RFC 9110 §14.2: "A server MUST ignore a Range header field received with a request method that is
            // unrecognized or for which range handling is not defined."
            _ => Range::Whole,
        };
        if let Some(part) = range.content_range(size, &mut text) {
            let _ = fields.push(("Content-Range", part));
        }
        let (status, first, length) = match range {
            Range::Whole => (Status::OK, 0, size),
            Range::Part { first, last } => (Status::PARTIAL_CONTENT, first, last - first + 1),
            Range::Unsatisfiable => return say(exchange, Status::RANGE_NOT_SATISFIABLE, &fields).await,
        };
        let _ = fields.push(("Content-Type", content_type(key.as_str()).as_bytes()));
        let _ = fields.push(("Accept-Ranges", b"bytes"));
        let mut streaming = exchange.start(status, &fields, Length::Known(length)).await?;
        let (mut at, end) = (first, first + length);
        while at < end && streaming.has_body() {
            let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
            let part = buffer.get_mut(..most).unwrap_or_default();
            let part = self.store.get_partial(key, at, part).await.map_err(failed)?;
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

/// The key in the first `length` bytes.
fn key(names: &[u8], length: usize) -> Option<Key<'_>> {
    Key::new(core::str::from_utf8(names.get(..length)?).ok()?).ok()
}

/// A response whose body is its reason.
async fn say<I: Io>(exchange: Exchange<'_, I>, status: Status, fields: &[(&str, &[u8])]) -> Result<Sent, Error> {
    exchange.send(status, fields, status.reason().as_bytes()).await
}

fn failed(error: impl mirage_kv::Error) -> Error {
    match error.kind() {
        ErrorKind::Other => Error::Failed,
        kind => Error::Store(kind),
    }
}
