//! What is served.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;

use mirage_http::server::Request;
use mirage_http::{Held, Match, Method, Reply, Responder, Route, Router, Status, hold};
use mirage_kv_embedded::{ErrorKind, Files, Key};
use mirage_platform::Context;
use sha2::{Digest, Sha256};

use crate::bytes::{BLOCK, Bytes};
use crate::counters::{Counters, add};
use crate::number::Number;

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
}

/// What is kept of a request until it is answered.
#[derive(Default)]
pub(crate) enum Work {
    /// A body that is there for good.
    Held(&'static [u8]),
    /// The counters.
    Stats(String),
    /// The stream of bytes, from this block on.
    Bytes(u64),
    #[default]
    Nothing,
    /// What was hashed so far.
    Hash(Box<Sha256>),
    /// A hash as text.
    Digest([u8; 65]),
}

impl Pages {
    pub(crate) fn new(context: Context) -> Self {
        Self { context, counters: Counters::default(), bytes: Bytes::new() }
    }

    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) const fn counters(&self) -> &Counters {
        &self.counters
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
}

impl Responder for Pages {
    type Work = Work;

    #[inline(never)]
    fn begin(&self, request: &Request<'_>, reply: &mut Reply<'_>) -> Work {
        add(&self.counters.requests, 1);
        let mut text = [0; 72];
        let allowed;
        let (status, fields, body): (_, &[(&str, &[u8])], &'static [u8]) = match Router::new(&ROUTES)
            .find(request.method(), request.path())
        {
            Match::Found(Page::Stats, _) => {
                let json = self.stats();
                reply.start(Status::OK, &[("Content-Type", b"application/json"), FRESH], json.len() as u64);
                return Work::Stats(json);
            }
            Match::Found(Page::Bytes, parameters) => match parameters.get("count").and_then(number) {
                Some(count) => {
                    reply.start(Status::OK, &[("Content-Type", b"application/octet-stream"), FRESH], count);
                    return Work::Bytes(0);
                }
                None => (Status::BAD_REQUEST, &[TEXT], b"/bytes/N takes a number\n"),
            },
            Match::Found(Page::Hash, _) => return Work::Hash(Box::default()),
            Match::Found(Page::File, _) => {
                let path = request.path();
                let mut buffer = vec![0; 2 * path.len() + 512];
                return Work::Held(hold(&held, &[("Cache-Control", b"max-age=60")], request, path, &mut buffer, reply));
            }
            Match::MethodNotAllowed(allow) => {
                allowed = [TEXT, ("Allow", allow.write(&mut text))];
                (Status::METHOD_NOT_ALLOWED, &allowed, b"")
            }
            Match::NotFound => (Status::NOT_FOUND, &[TEXT], b"not found\n"),
        };
        reply.start(status, fields, body.len() as u64);
        Work::Held(body)
    }

    fn take(&self, work: &mut Work, bytes: &[u8]) {
        if let Work::Hash(hash) = work {
            hash.update(bytes);
            add(&self.counters.bytes_hashed, bytes.len() as u64);
        }
    }

    fn end(&self, work: &mut Work, reply: &mut Reply<'_>) {
        if let Work::Hash(hash) = work {
            let mut text = [b'\n'; 65];
            for (place, byte) in text.chunks_exact_mut(2).zip(hash.finalize_reset()) {
                let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
                place.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
            reply.start(Status::OK, &[TEXT, FRESH], text.len() as u64);
            *work = Work::Digest(text);
        }
    }

    fn piece<'w>(&'w self, work: &'w mut Work, left: u64) -> &'w [u8] {
        match work {
            Work::Held(bytes) => bytes,
            Work::Stats(json) => json.as_bytes(),
            Work::Digest(text) => text,
            Work::Bytes(block) => {
                let part = self.bytes.block(*block);
                let part = &part[..usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK))];
                add(&self.counters.bytes_streamed, part.len() as u64);
                *block += 1;
                part
            }
            Work::Hash(_) | Work::Nothing => b"",
        }
    }
}

/// The file of that name.
fn held(key: Key<'_>) -> Held<'static> {
    match FILES.file(key) {
        Ok(file) => Held::File { bytes: file.bytes, digest: file.digest, modified: file.modified },
        Err(ErrorKind::ValueExpected) => Held::Dictionary,
        Err(_) => Held::Nothing,
    }
}

/// A number as HTTP spells them: digits and nothing else.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
