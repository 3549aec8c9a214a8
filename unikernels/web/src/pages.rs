//! What is served.

use alloc::string::String;

use mirage_http::server::Request;
use mirage_http::{Error, Exchange, Io, Length, Match, Method, Route, Router, Sent, Site, Status};
use mirage_kv_embedded::Files;
use mirage_platform::{Context, yield_now};
use sha2::{Digest, Sha256};

use crate::bytes::{BLOCK, Bytes};
use crate::counters::{Counters, add};
use crate::number::Number;
use crate::scratch::Scratch;

static FILES: Files = include!(concat!(env!("OUT_DIR"), "/files.rs"));

static ROUTES: [Route<'static, Page>; 4] = [
    Route { method: Method::Get, pattern: "/stats", target: Page::Stats },
    Route { method: Method::Get, pattern: "/bytes/{count}", target: Page::Bytes },
    Route { method: Method::Post, pattern: "/sha256", target: Page::Hash },
    Route { method: Method::Get, pattern: "/{path...}", target: Page::File },
];

#[derive(Clone, Copy)]
enum Page {
    Stats,
    Bytes,
    Hash,
    File,
}

const TEXT: (&str, &[u8]) = ("Content-Type", b"text/plain; charset=utf-8");
const FRESH: (&str, &[u8]) = ("Cache-Control", b"no-store");

/// What is served, the same on all connections.
pub(crate) struct Pages {
    context: Context,
    counters: Counters,
    bytes: Bytes,
    scratch: Scratch,
    site: Site<'static, &'static Files>,
}

impl Pages {
    pub(crate) fn new(context: Context) -> Self {
        let site = Site::new(&FILES).with_fields(&[("Cache-Control", b"max-age=60")]);
        Self { context, counters: Counters::default(), bytes: Bytes::new(), scratch: Scratch::default(), site }
    }

    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) const fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) const fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Answers one request with the help of `scratch`.
    pub(crate) async fn answer<I: Io>(
        &self,
        request: &Request<'_>,
        mut exchange: Exchange<'_, I>,
        scratch: &mut [u8],
    ) -> Result<Sent, Error> {
        add(&self.counters.requests, 1);
        let mut text = [0; 72];
        let (json, digest, allowed);
        let (status, fields, body): (_, &[(&str, &[u8])], &[u8]) =
            match Router::new(&ROUTES).find(request.method(), request.path()) {
                Match::Found(Page::Stats, _) => {
                    json = self.stats();
                    (Status::OK, &[("Content-Type", b"application/json"), FRESH], json.as_bytes())
                }
                Match::Found(Page::Bytes, parameters) => match parameters.get("count").and_then(number) {
                    Some(count) => return self.stream(exchange, count).await,
                    None => (Status::BAD_REQUEST, &[TEXT], b"/bytes/N takes a number\n"),
                },
                Match::Found(Page::Hash, _) => {
                    digest = self.hash(&mut exchange, scratch).await?;
                    (Status::OK, &[TEXT, FRESH], &digest)
                }
                Match::Found(Page::File, _) => {
                    return self.site.respond(request, request.path(), exchange, scratch).await;
                }
                Match::MethodNotAllowed(allow) => {
                    allowed = [TEXT, ("Allow", allow.write(&mut text))];
                    (Status::METHOD_NOT_ALLOWED, &allowed, b"")
                }
                Match::NotFound => (Status::NOT_FOUND, &[TEXT], b"not found\n"),
            };
        exchange.send(status, fields, body).await
    }

    /// Every counter as one JSON object.
    fn stats(&self) -> String {
        let mut json = String::from("{");
        // Names are ours: words, dots and underscores, so nothing needs an escape.
        let mut put = |name: &str, value: u64| {
            json.push_str(if json.len() > 1 { ",\n  \"" } else { "\n  \"" });
            json.push_str(name);
            json.push_str("\": ");
            // A string takes whatever it is given.
            let _ = Number(value).put(&mut json);
        };
        self.counters.each(&mut put);
        self.context.stats(&mut put);
        json.push_str("\n}\n");
        json
    }

    /// So many bytes of the stream.
    async fn stream<I: Io>(&self, exchange: Exchange<'_, I>, count: u64) -> Result<Sent, Error> {
        let fields = [("Content-Type", &b"application/octet-stream"[..]), FRESH];
        let mut streaming = exchange.start(Status::OK, &fields, Length::Known(count)).await?;
        let (mut left, mut block) = (count, 0);
        while left > 0 && streaming.has_body() {
            let part = self.bytes.block(block);
            let part = &part[..usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK))];
            streaming.write(part).await?;
            add(&self.counters.bytes_streamed, part.len() as u64);
            left -= part.len() as u64;
            block += 1;
            // A peer that takes everything at once must not keep the others waiting.
            yield_now().await;
        }
        streaming.finish().await
    }

    /// The SHA-256 of the body, in hexadecimal and on a line.
    async fn hash<I: Io>(&self, exchange: &mut Exchange<'_, I>, scratch: &mut [u8]) -> Result<[u8; 65], Error> {
        let mut hash = Sha256::new();
        loop {
            match exchange.read(scratch).await? {
                0 => break,
                len => {
                    hash.update(&scratch[..len]);
                    add(&self.counters.bytes_hashed, len as u64);
                }
            }
            // As above.
            yield_now().await;
        }
        let mut text = [b'\n'; 65];
        for (place, byte) in text.chunks_exact_mut(2).zip(hash.finalize()) {
            let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
            place.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        Ok(text)
    }
}

/// A number as HTTP spells them: digits and nothing else.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
