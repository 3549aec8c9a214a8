//! A world without a network: virtual time, a peer that follows a script, and an application.
#![allow(dead_code, unreachable_pub, reason = "every test file uses a part")]

extern crate alloc;

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::testing::MockClock;
use mirage_clock::{Duration, Instant, Monotonic, Sleep};
use mirage_flow::{Direction, ErrorKind, ErrorType, Read, Shutdown, Write};
use mirage_http::server::Request;
use mirage_http::{
    Config, Error, Exchange, Field, Handler, Held, Io, Length, Limits, Match, Memory, Method, Outcome, Reply,
    Responder, Route, Router, Sent, Site, Status, hold, respond, serve,
};
use mirage_kv::ReadOnly as _;
use mirage_kv::testing::Fixed;

/// Virtual time: it moves to the next thing that somebody waits for.
#[derive(Default)]
pub struct World {
    pub clock: MockClock,
    next: Cell<Option<Instant>>,
    stirred: Cell<bool>,
}

impl World {
    /// Somebody waits until then.
    fn wait(&self, until: Instant) {
        self.next.set(Some(self.next.get().map_or(until, |next| next.min(until))));
    }

    /// Something moved, so that others may move before time does.
    pub fn stir(&self) {
        self.stirred.set(true);
    }

    /// Nanoseconds that have passed.
    pub fn clock_now(&self) -> u64 {
        self.clock.now().as_nanos()
    }

    /// Polls `future` to its end.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        for _ in 0..10_000_000 {
            self.next.set(None);
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return value;
            }
            if !self.stirred.take()
                && let Some(next) = self.next.get()
            {
                self.clock.advance_to(next);
            }
        }
        panic!("this goes on for ever");
    }
}

impl Monotonic for World {
    fn now(&self) -> Instant {
        self.clock.now()
    }
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
}

impl Sleep for World {
    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> {
        poll_fn(move |_| {
            if self.now() >= deadline {
                return Poll::Ready(());
            }
            self.wait(deadline);
            Poll::Pending
        })
    }
}

/// What a peer does next.
#[derive(Clone, Debug)]
pub enum Act {
    Send(Vec<u8>),
    Pause(Duration),
    /// Says nothing more, and stays.
    Stay,
    /// Waits until our side has ended, then ends its own.
    Linger,
}

/// A peer that follows a script, and ends its side when that is over.
#[derive(Clone)]
pub struct Peer<'w> {
    world: &'w World,
    acts: Rc<RefCell<VecDeque<Act>>>,
    resume: Rc<Cell<Option<Instant>>>,
    /// What we wrote, by write.
    pub heard: Rc<RefCell<Vec<Vec<u8>>>>,
    /// How we ended the flow.
    pub ended: Rc<RefCell<Vec<Direction>>>,
    /// How many bytes it takes at once, and how long it rests after that.
    pub appetite: (usize, Duration),
    full_until: Rc<Cell<Instant>>,
}

impl<'w> Peer<'w> {
    pub fn new(world: &'w World, acts: impl IntoIterator<Item = Act>) -> Self {
        Self {
            world,
            acts: Rc::new(RefCell::new(acts.into_iter().collect())),
            resume: Rc::default(),
            heard: Rc::default(),
            ended: Rc::default(),
            appetite: (usize::MAX, Duration::ZERO),
            full_until: Rc::default(),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.heard.borrow().concat()).into_owned()
    }
}

impl ErrorType for Peer<'_> {
    type Error = ErrorKind;
}

impl Read for Peer<'_> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        assert!(!into.is_empty(), "a read into nothing looks like the end");
        poll_fn(|_| {
            let mut acts = self.acts.borrow_mut();
            loop {
                match acts.front_mut() {
                    None => return Poll::Ready(Ok(0)),
                    Some(Act::Send(bytes)) if bytes.is_empty() => {
                        acts.pop_front();
                    }
                    Some(Act::Send(bytes)) => {
                        let count = bytes.len().min(into.len());
                        into[..count].copy_from_slice(&bytes[..count]);
                        bytes.drain(..count);
                        return Poll::Ready(Ok(count));
                    }
                    Some(Act::Pause(span)) => {
                        let until = self.resume.get().unwrap_or(self.world.now() + *span);
                        if self.world.now() < until {
                            self.resume.set(Some(until));
                            self.world.wait(until);
                            return Poll::Pending;
                        }
                        self.resume.set(None);
                        acts.pop_front();
                    }
                    Some(Act::Stay) => return Poll::Pending,
                    Some(Act::Linger) if self.ended.borrow().is_empty() => return Poll::Pending,
                    Some(Act::Linger) => {
                        acts.pop_front();
                    }
                }
            }
        })
        .await
    }
}

impl Write for Peer<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| {
            if self.world.now() < self.full_until.get() {
                self.world.wait(self.full_until.get());
                return Poll::Pending;
            }
            assert!(self.ended.borrow().is_empty(), "a write after the end");
            let count = bytes.len().min(self.appetite.0);
            self.heard.borrow_mut().push(bytes[..count].to_vec());
            self.full_until.set(self.world.now() + self.appetite.1);
            Poll::Ready(Ok(count))
        })
        .await
    }
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        panic!("flush may wait for the peer's acknowledgement and is not for every response")
    }
}

impl Shutdown for Peer<'_> {
    async fn shutdown(&mut self, direction: Direction) -> Result<(), ErrorKind> {
        self.ended.borrow_mut().push(direction);
        Ok(())
    }
}

/// What the tests' server does.
#[derive(Clone, Copy)]
enum To {
    Hello,
    Bytes,
    Chunks,
    Echo,
    Stream,
    Ignore,
    Fail,
    Short,
    Long,
    Inject,
    Empty,
    Target,
    Files,
}

pub struct App;

const ROUTES: &[Route<'static, To>] = &[
    Route { method: Method::Get, pattern: "/", target: To::Hello },
    Route { method: Method::Get, pattern: "/bytes/{n}", target: To::Bytes },
    Route { method: Method::Get, pattern: "/chunks/{n}", target: To::Chunks },
    Route { method: Method::Post, pattern: "/echo", target: To::Echo },
    Route { method: Method::Put, pattern: "/echo", target: To::Echo },
    Route { method: Method::Post, pattern: "/stream", target: To::Stream },
    Route { method: Method::Post, pattern: "/ignore", target: To::Ignore },
    Route { method: Method::Get, pattern: "/fail", target: To::Fail },
    Route { method: Method::Get, pattern: "/short", target: To::Short },
    Route { method: Method::Get, pattern: "/long", target: To::Long },
    Route { method: Method::Get, pattern: "/inject", target: To::Inject },
    Route { method: Method::Get, pattern: "/empty", target: To::Empty },
    Route { method: Method::Get, pattern: "/target/{rest...}", target: To::Target },
    Route { method: Method::Get, pattern: "/files/{path...}", target: To::Files },
    Route { method: Method::Post, pattern: "/files/{path...}", target: To::Files },
];

/// The byte at `at` of every long body.
pub fn pattern(at: usize) -> u8 {
    b'a' + (at % 23) as u8
}

pub static PATTERN: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| (0..300_000).map(pattern).collect());

pub const SITE: &[(&str, &[u8])] = &[
    ("/index.html", b"<p>home"),
    ("/docs/index.html", b"<p>docs"),
    ("/docs/page.txt", b"0123456789"),
    ("/with space.css", b"p{}"),
    ("/empty", b""),
    ("/bare/file", b"x"),
];

pub const SITE_CHANGED: i64 = 784_111_777;

impl Handler for App {
    async fn handle<I: Io>(&self, request: &Request<'_>, mut exchange: Exchange<'_, I>) -> Result<Sent, Error> {
        let (to, parameters) = match Router::new(ROUTES).find(request.method(), request.path()) {
            Match::Found(to, parameters) => (to, parameters),
            Match::NotFound => return exchange.send(Status::NOT_FOUND, &[], b"nothing here").await,
            Match::MethodNotAllowed(allow) => {
                let mut text = [0; 72];
                let allow = allow.write(&mut text);
                return exchange.send(Status::METHOD_NOT_ALLOWED, &[("Allow", allow)], b"not so").await;
            }
        };
        let length = || parameters.get("n").and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        match to {
            To::Hello => exchange.send(Status::OK, &[("Content-Type", b"text/plain")], b"hello").await,
            To::Bytes => {
                let mut left = length();
                let mut streaming = exchange.start(Status::OK, &[], Length::Known(left as u64)).await?;
                while left > 0 {
                    let part = left.min(PATTERN.len());
                    streaming.write(&PATTERN[..part]).await?;
                    left -= part;
                }
                streaming.finish().await
            }
            To::Chunks => {
                let mut streaming = exchange.start(Status::OK, &[], Length::Unknown).await?;
                for part in PATTERN[..length()].chunks(1000) {
                    streaming.write(part).await?;
                }
                streaming.finish().await
            }
            To::Echo => {
                let mut body = Vec::new();
                let mut buffer = [0; 700];
                loop {
                    match exchange.read(&mut buffer).await? {
                        0 => break,
                        count => body.extend_from_slice(&buffer[..count]),
                    }
                }
                exchange.send(Status::OK, &[], &body).await
            }
            To::Stream => {
                let mut streaming = exchange.start(Status::OK, &[], Length::Unknown).await?;
                let mut buffer = [0; 300];
                loop {
                    match streaming.read(&mut buffer).await? {
                        0 => break,
                        count => streaming.write(&buffer[..count]).await?,
                    }
                }
                streaming.finish().await
            }
            To::Ignore => exchange.send(Status::OK, &[], b"fine").await,
            To::Fail => Err(Error::Failed),
            To::Short => {
                let mut streaming = exchange.start(Status::OK, &[], Length::Known(10)).await?;
                streaming.write(b"short").await?;
                streaming.finish().await
            }
            To::Long => {
                exchange.start(Status::OK, &[], Length::Known(1)).await?.write(b"long").await.and(Err(Error::Failed))
            }
            To::Inject => exchange.send(Status::OK, &[("X", b"a\r\nSet-Cookie: b")], b"").await,
            To::Empty => exchange.send(Status::NO_CONTENT, &[], b"").await,
            To::Target => {
                let mut text = [0; 200];
                let path = mirage_http::decode_path(request.path(), &mut text).unwrap_or("malformed");
                let answer = format!("{} {path} {}", request.host(), request.query().unwrap_or("-"));
                exchange.send(Status::OK, &[], answer.as_bytes()).await
            }
            To::Files => {
                let mut buffer = [0; 800];
                let store = Fixed::new(SITE).modified(mirage_kv::Modified { seconds: SITE_CHANGED, nanos: 1 });
                let path = request.path().strip_prefix("/files").unwrap_or("/");
                Site::new(store).respond(request, path, exchange, &mut buffer).await
            }
        }
    }
}

/// The same server without anything that waits; what only a handler can do is as if it were not there.
pub struct Plain;

/// What [`Plain`] keeps of a request.
#[derive(Default)]
pub enum Work {
    #[default]
    Nothing,
    Echo(Vec<u8>),
    Held(&'static [u8]),
    Pattern,
    Text(String),
    Short,
}

impl Responder for Plain {
    type Work = Work;

    fn begin(&self, request: &Request<'_>, reply: &mut Reply<'_>) -> Work {
        let mut told = |status, fields: &[(&str, &[u8])], body: &'static str| {
            reply.start(status, fields, body.len() as u64);
            Work::Held(body.as_bytes())
        };
        let (to, parameters) = match Router::new(ROUTES).find(request.method(), request.path()) {
            Match::Found(to, parameters) => (to, parameters),
            Match::NotFound => return told(Status::NOT_FOUND, &[], "nothing here"),
            Match::MethodNotAllowed(allow) => {
                return told(Status::METHOD_NOT_ALLOWED, &[("Allow", allow.write(&mut [0; 72]))], "not so");
            }
        };
        match to {
            To::Hello => told(Status::OK, &[("Content-Type", b"text/plain")], "hello"),
            To::Bytes => {
                reply.start(Status::OK, &[], parameters.get("n").and_then(|n| n.parse().ok()).unwrap_or(0));
                Work::Pattern
            }
            To::Echo => Work::Echo(Vec::new()),
            To::Ignore => told(Status::OK, &[], "fine"),
            To::Fail => Work::Nothing,
            To::Short => {
                reply.start(Status::OK, &[], 10);
                Work::Short
            }
            To::Long => {
                reply.start(Status::OK, &[], 1);
                Work::Held(b"long")
            }
            To::Inject => told(Status::OK, &[("X", b"a\r\nSet-Cookie: b")], ""),
            To::Empty => told(Status::NO_CONTENT, &[], ""),
            To::Target => {
                let mut text = [0; 200];
                let path = mirage_http::decode_path(request.path(), &mut text).unwrap_or("malformed");
                let answer = format!("{} {path} {}", request.host(), request.query().unwrap_or("-"));
                reply.start(Status::OK, &[], answer.len() as u64);
                Work::Text(answer)
            }
            To::Files => {
                let path = request.path().strip_prefix("/files").unwrap_or("/");
                Work::Held(hold(&held, &[], request, path, &mut [0; 800], reply))
            }
            To::Chunks | To::Stream => told(Status::NOT_FOUND, &[], "nothing here"),
        }
    }

    fn take(&self, work: &mut Work, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        if let Work::Echo(body) = work {
            body.extend_from_slice(bytes);
        }
    }

    fn end(&self, work: &mut Work, reply: &mut Reply<'_>) {
        if let Work::Echo(body) = work {
            reply.start(Status::OK, &[], body.len() as u64);
        }
    }

    fn piece<'w>(&'w self, work: &'w mut Work, left: u64) -> &'w [u8] {
        match work {
            Work::Nothing => b"",
            Work::Echo(body) => body,
            Work::Held(body) => body,
            Work::Pattern => &PATTERN[..PATTERN.len().min(left as usize)],
            Work::Short if left == 10 => b"short",
            Work::Short => b"",
            Work::Text(text) => text.as_bytes(),
        }
    }
}

/// What the store of the other server holds.
fn held(key: mirage_kv::Key<'_>) -> Held<'static> {
    let store = Fixed::new(SITE).modified(mirage_kv::Modified { seconds: SITE_CHANGED, nanos: 1 });
    World::default().run(async {
        match store.exists(key).await.unwrap() {
            None => Held::Nothing,
            Some(mirage_kv::Kind::Dictionary) => Held::Dictionary,
            Some(mirage_kv::Kind::Value) => Held::File {
                bytes: SITE.iter().find(|(name, _)| name[1..] == *key.as_str()).unwrap().1,
                digest: store.digest(key).await.unwrap(),
                modified: store.last_modified(key).await.unwrap(),
            },
        }
    })
}

/// What [`Plain`] says to a peer that follows `acts`.
pub fn play_plain(acts: impl IntoIterator<Item = Act>) -> (String, Outcome) {
    let world = World::default();
    let peer = Peer::new(&world, acts);
    let outcome = world.run(async {
        let (mut input, mut output) = (vec![0; 2048], vec![0; 2048]);
        let mut fields = [Field::default(); 20];
        let memory = Memory { input: &mut input, output: &mut output, fields: &mut fields };
        respond(peer.clone(), memory, &world, &world, &Config { limits: LIMITS, wall: None }, &Plain).await
    });
    (peer.text(), outcome)
}

/// Limits that tests reach quickly.
pub const LIMITS: Limits =
    Limits { head: 1024, target: 256, body: 10_000, extensions: 50, trailers: 100, ..Limits::DEFAULT };

pub async fn serve_peer(world: &World, peer: Peer<'_>, limits: Limits) -> Outcome {
    let (mut input, mut output) = (vec![0; 2048], vec![0; 2048]);
    let mut fields = [Field::default(); 20];
    let memory = Memory { input: &mut input, output: &mut output, fields: &mut fields };
    serve(peer, memory, world, world, &Config { limits, wall: None }, &App).await
}

/// What the server says to a peer that follows `acts`: both say the same, whether they may wait or not.
pub fn play(acts: impl IntoIterator<Item = Act>) -> (String, Outcome) {
    let acts: Vec<Act> = acts.into_iter().collect();
    let world = World::default();
    let peer = Peer::new(&world, acts.clone());
    let outcome = world.run(serve_peer(&world, peer.clone(), LIMITS));
    let said = (peer.text(), outcome);
    let sent: Vec<u8> =
        acts.iter().flat_map(|act| if let Act::Send(bytes) = act { &bytes[..] } else { b"" }).copied().collect();
    let sent = String::from_utf8_lossy(&sent);
    if !["/chunks", "/stream", "/long"].iter().any(|only| sent.contains(only)) {
        assert_eq!(play_plain(acts), said, "{sent}");
    }
    said
}

/// What it says to `input`, after which the peer ends its side.
pub fn answer(input: &[u8]) -> (String, Outcome) {
    play([Act::Send(input.to_vec())])
}

/// The status codes in `text`, in their order.
pub fn codes(text: &str) -> Vec<u16> {
    text.split("HTTP/1.1 ").skip(1).map(|response| response[..3].parse().unwrap()).collect()
}
