//! A store as a web site.

use mirage_kv::{ErrorKind, ReadOnly};

use crate::server::Request;
use crate::{Error, Exchange, Io, Length, Sent};

use super::answer::{About, Answer, INDEX, Part, Tell, ask, key, look, refuse};

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
            let mut begun = Ok(None);
            let tell: Tell<'_> =
                &mut |status, fields, length| begun = exchange.begin(status, fields, Length::Known(length));
            let part = match (&about, file) {
                (Some(about), Some(key)) => about.tell(request, key, self.fields, tell),
                _ => {
                    let reason = refuse(&answer, path, bytes, tell);
                    Part { at: 0, end: reason.len() as u64, reason: Some(reason) }
                }
            };
            match begun? {
                Some(sending) => break (sending, part),
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

fn failed(error: impl mirage_kv::Error) -> Error {
    match error.kind() {
        ErrorKind::Other => Error::Failed,
        kind => Error::Store(kind),
    }
}
