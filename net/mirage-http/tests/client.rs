//! The client's machine, against bytes and against the server.

extern crate alloc;

mod common;

use alloc::collections::VecDeque;
use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use common::{LIMITS, PATTERN, World};
use mirage_clock::{Instant, Monotonic};
use mirage_flow::{Direction, ErrorKind, ErrorType, Read, Shutdown, Write};
use mirage_http::client::{Connection, RequestHead, Step};
use mirage_http::{
    BodyStep, Config, Field, HeadError, Incoming, Length, Limits, Memory, Method, Refusal, chunked, serve,
};

const NOW: Instant = Instant::ZERO;

/// What a client that asked with `method` reads of `input`, of which it gets `piece` bytes at a time: the status, the
/// body and how that ended, and whether another request may follow.
fn read(method: Method, input: &[u8], piece: usize) -> Result<(u16, Vec<u8>, BodyStep<'static>, bool), Step<'static>> {
    let (mut buffer, mut fields) = (vec![0; 1024], [Field::default(); 16]);
    let limits = Limits { head: 512, body: 1000, ..Limits::DEFAULT };
    let mut connection = Connection::new(&mut buffer, &mut fields, limits);
    connection.requested(NOW, method);
    let mut pieces = input.chunks(piece);
    let status = loop {
        match connection.next(NOW) {
            Step::NeedInput => match pieces.next() {
                Some(piece) => assert_eq!(connection.input(NOW, piece), piece.len()),
                None => connection.input_ended(),
            },
            Step::Response(response, _) => break response.status().code(),
            Step::Refused(refusal) => return Err(Step::Refused(refusal)),
            Step::Cut => return Err(Step::Cut),
            Step::Idle | Step::Reading => panic!("not now"),
        }
    };
    let mut received = Vec::new();
    let mut body = connection.body().unwrap();
    let end = loop {
        match body.next(100) {
            BodyStep::Data(data) => received.extend_from_slice(data),
            BodyStep::NeedInput => match pieces.next() {
                Some(piece) => assert_eq!(body.input(NOW, piece), piece.len()),
                None => body.input_ended(),
            },
            BodyStep::End => break BodyStep::End,
            BodyStep::Cut => break BodyStep::Cut,
            BodyStep::Refused(refusal) => break BodyStep::Refused(refusal),
        }
    };
    Ok((status, received, end, connection.finish()))
}

macro_rules! responses {
    ($($name:ident: $method:ident $input:expr => $expected:pat,)*) => {
        $(#[test]
        fn $name() {
            for piece in [usize::MAX, 1, 2, 3, 7, 50] {
                let input = $input;
                let input: &[u8] = input.as_ref();
                let read = read(Method::$method, input, piece.min(input.len().max(1)).min(400));
                let read = read.as_ref().map(|(code, body, end, again)| (*code, &body[..], *end, *again));
                assert!(matches!(read, $expected), "{read:?} in pieces of {piece}");
            }
        })*
    };
}

responses! {
    a_length_ends_a_body: Get "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" => Ok((200, b"abc", BodyStep::End, true)),
    chunks_end_a_body: Get "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" => Ok((200, b"abc", BodyStep::End, true)),
    the_close_ends_a_body: Get "HTTP/1.1 200 OK\r\n\r\nabc" => Ok((200, b"abc", BodyStep::End, false)),
    an_answer_to_head_has_no_body: Head "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" => Ok((200, b"", BodyStep::End, true)),
    an_answer_to_head_in_chunks_has_no_body: Head "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" => Ok((200, b"", BodyStep::End, true)),
    a_204_has_no_body: Get "HTTP/1.1 204 No Content\r\n\r\n" => Ok((204, b"", BodyStep::End, true)),
    a_304_has_no_body: Get "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n" => Ok((304, b"", BodyStep::End, true)),
    interim_responses_are_passed_over: Get "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na" => Ok((200, b"a", BodyStep::End, true)),
    a_close_is_honoured: Get "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na" => Ok((200, b"a", BodyStep::End, false)),
    http_1_0_closes: Get "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na" => Ok((200, b"a", BodyStep::End, false)),
    a_reason_may_be_missing: Get "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n" => Ok((200, b"", BodyStep::End, true)),
    a_body_that_ends_early_is_cut: Get "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab" => Ok((200, b"ab", BodyStep::Cut, false)),
    chunks_that_end_early_are_cut: Get "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n" => Ok((200, b"abc", BodyStep::Cut, false)),
    a_head_that_ends_early_is_cut: Get "HTTP/1.1 200 OK\r\nContent-L" => Err(Step::Cut),
    nothing_is_cut: Get "" => Err(Step::Cut),
    http_2_is_refused: Get "HTTP/2.0 200 OK\r\n\r\n" => Err(Step::Refused(Refusal::Version)),
    noise_is_refused: Get "\u{1}noise\r\n\r\n" => Err(Step::Refused(Refusal::Malformed)),
    both_lengths_are_refused: Get "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => Err(Step::Refused(Refusal::Malformed)),
    two_lengths_are_refused: Get "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc" => Err(Step::Refused(Refusal::Malformed)),
    another_coding_is_refused: Get "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" => Err(Step::Refused(Refusal::UnknownCoding)),
    a_switch_of_protocols_is_refused: Get "HTTP/1.1 101 Switching Protocols\r\n\r\n" => Err(Step::Refused(Refusal::Malformed)),
    a_long_head_is_refused: Get format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(600)) => Err(Step::Refused(Refusal::HeadTooLarge)),
    a_long_body_is_refused: Get "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" => Err(Step::Refused(Refusal::BodyTooLarge)),
    a_body_until_the_close_that_is_too_long_is_refused: Get format!("HTTP/1.1 200 OK\r\n\r\n{}", "a".repeat(1001)) => Ok((200, _, BodyStep::Refused(Refusal::BodyTooLarge), false)),
    bad_chunks_are_refused: Get "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\na\r\n" => Ok((200, b"", BodyStep::Refused(Refusal::Malformed), false)),
}

#[test]
fn a_response_that_does_not_come_is_given_up() {
    let (mut buffer, mut fields) = ([0; 200], [Field::default(); 4]);
    let mut connection = Connection::new(&mut buffer, &mut fields, Limits::DEFAULT);
    assert!(matches!(connection.next(NOW), Step::Idle));
    connection.requested(NOW, Method::Get);
    let late = connection.poll_timeout();
    assert_eq!(late, NOW + Limits::DEFAULT.head_time);
    connection.handle_timeout(NOW);
    assert!(matches!(connection.next(NOW), Step::NeedInput));
    connection.handle_timeout(late);
    assert!(matches!(connection.next(late), Step::Refused(Refusal::Timeout)));
}

#[test]
fn a_head_that_would_say_two_things_is_not_written() {
    let write = |target, host, fields: &[(&str, &[u8])]| {
        RequestHead::new(Method::Get, target, host, Length::Known(0), fields).write(&mut [0; 200])
    };
    assert!(write("/", "a", &[("X", b"y")]).is_ok());
    assert_eq!(write("/ HTTP/1.1\r\nX: y", "a", &[]), Err(HeadError::InvalidField));
    assert_eq!(write("/a b", "a", &[]), Err(HeadError::InvalidField));
    assert_eq!(write("/", "a\r\nX: y", &[]), Err(HeadError::InvalidField));
    assert_eq!(write("/", "a", &[("X: y\r\nZ", b"")]), Err(HeadError::InvalidField));
    assert_eq!(write("/", "a", &[("X", b"y\nZ: z")]), Err(HeadError::InvalidField));
    assert_eq!(write("/", "a", &[("X", &[b'a'; 200])]), Err(HeadError::BufferTooSmall));
}

/// Bytes on their way, at most so many at a time.
#[derive(Default)]
struct Channel {
    bytes: RefCell<VecDeque<u8>>,
    closed: RefCell<bool>,
}

struct End<'p> {
    world: &'p World,
    from: &'p Channel,
    to: &'p Channel,
    most: usize,
}

impl ErrorType for End<'_> {
    type Error = ErrorKind;
}

impl Read for End<'_> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| {
            let mut bytes = self.from.bytes.borrow_mut();
            let count = into.len().min(bytes.len()).min(self.most);
            if count == 0 && !*self.from.closed.borrow() {
                return Poll::Pending;
            }
            self.world.stir();
            into.iter_mut().zip(bytes.drain(..count)).for_each(|(to, from)| *to = from);
            Poll::Ready(Ok(count))
        })
        .await
    }
}

impl Write for End<'_> {
    async fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| {
            let mut bytes = self.to.bytes.borrow_mut();
            let count = from.len().min(4000_usize.saturating_sub(bytes.len())).min(self.most);
            if count == 0 {
                return Poll::Pending;
            }
            self.world.stir();
            bytes.extend(&from[..count]);
            Poll::Ready(Ok(count))
        })
        .await
    }
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl Shutdown for End<'_> {
    async fn shutdown(&mut self, direction: Direction) -> Result<(), ErrorKind> {
        self.world.stir();
        if direction != Direction::Read {
            *self.to.closed.borrow_mut() = true;
        }
        Ok(())
    }
}

/// One request, its body in chunks or not; returns the response's body.
async fn exchange(
    world: &World,
    flow: &mut End<'_>,
    connection: &mut Connection<'_>,
    (method, target): (Method, &str),
    body: &[u8],
    coded: bool,
) -> Vec<u8> {
    let length = if coded { Length::Unknown } else { Length::Known(body.len() as u64) };
    let mut head = [0; 300];
    let count = RequestHead::new(method, target, "a", length, &[]).write(&mut head).unwrap();
    flow.write_all(&head[..count]).await.unwrap();
    if coded {
        for part in body.chunks(700) {
            let mut line = [0; 18];
            flow.write_all(chunked::size_line(part.len() as u64, &mut line)).await.unwrap();
            flow.write_all(part).await.unwrap();
            flow.write_all(b"\r\n").await.unwrap();
        }
        flow.write_all(chunked::END).await.unwrap();
    } else {
        flow.write_all(body).await.unwrap();
    }
    connection.requested(world.now(), method);
    while let Step::NeedInput = connection.next(world.now()) {
        let count = flow.read(connection.space()).await.unwrap();
        connection.received(world.now(), count);
    }
    let received = collect(world, flow, connection.body().expect("a response")).await;
    assert!(connection.finish());
    received
}

async fn collect(world: &World, flow: &mut End<'_>, mut body: Incoming<'_>) -> Vec<u8> {
    let mut received = Vec::new();
    loop {
        match body.next(usize::MAX) {
            BodyStep::Data(data) => received.extend_from_slice(data),
            BodyStep::End => return received,
            BodyStep::NeedInput => {
                let count = flow.read(body.space()).await.unwrap();
                body.received(world.now(), count);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Both to their ends.
async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut from_a, mut from_b) = (None, None);
    poll_fn(|context| {
        if from_a.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(context)
        {
            from_a = Some(value);
        }
        if from_b.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(context)
        {
            from_b = Some(value);
        }
        if from_a.is_some() && from_b.is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    (from_a.unwrap(), from_b.unwrap())
}

#[test]
fn client_and_server_understand_each_other_over_any_pipe() {
    for most in [1, 3, 64, 1000, usize::MAX] {
        let world = World::default();
        let (up, down) = (Channel::default(), Channel::default());
        let (mut input, mut output, mut fields) = (vec![0; 1200], vec![0; 500], [Field::default(); 8]);
        let memory = Memory { input: &mut input, output: &mut output, fields: &mut fields };
        let config = Config { limits: Limits { body: 100_000, ..LIMITS }, wall: None };
        let flow = End { world: &world, from: &up, to: &down, most };
        let server = serve(flow, memory, &world, &world, &config, &common::App);
        let client = async {
            let mut flow = End { world: &world, from: &down, to: &up, most };
            let (mut buffer, mut fields) = (vec![0; 700], [Field::default(); 8]);
            let mut connection = Connection::new(&mut buffer, &mut fields, Limits::DEFAULT);
            let body = &PATTERN[..30_000];
            for coded in [false, true] {
                let echo = exchange(&world, &mut flow, &mut connection, (Method::Post, "/echo"), body, coded).await;
                assert!(echo == body);
                let short = &body[..2500];
                let echo = exchange(&world, &mut flow, &mut connection, (Method::Post, "/stream"), short, coded).await;
                assert!(echo == short);
            }
            let chunks = exchange(&world, &mut flow, &mut connection, (Method::Get, "/chunks/20000"), b"", false).await;
            assert!(chunks == PATTERN[..20_000]);
            let bytes = exchange(&world, &mut flow, &mut connection, (Method::Get, "/bytes/20000"), b"", false).await;
            assert!(bytes == PATTERN[..20_000]);
            let none = exchange(&world, &mut flow, &mut connection, (Method::Head, "/bytes/20000"), b"", false).await;
            assert!(none.is_empty());
            flow.shutdown(Direction::Write).await.unwrap();
        };
        let (outcome, ()) = world.run(both(server, client));
        assert_eq!((outcome.requests, outcome.end), (7, Ok(())), "{most} bytes at a time");
    }
}
