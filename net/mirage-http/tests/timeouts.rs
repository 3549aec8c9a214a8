//! Slow peers, in virtual time.

mod common;

use common::{Act, LIMITS, Peer, World, codes, serve_peer};
use mirage_clock::Duration;
use mirage_http::{Error, Outcome, Refusal};

/// What was said to a peer that follows `acts`, how it ended, and after how many seconds.
fn timed(acts: Vec<Act>, appetite: (usize, Duration)) -> (Vec<u16>, Outcome, u64) {
    let world = World::default();
    let mut peer = Peer::new(&world, acts);
    peer.appetite = appetite;
    let outcome = world.run(serve_peer(&world, peer.clone(), LIMITS));
    (codes(&peer.text()), outcome, world.clock_now() / 1_000_000_000)
}

const HUNGRY: (usize, Duration) = (usize::MAX, Duration::ZERO);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn send(bytes: impl Into<Vec<u8>>) -> Act {
    Act::Send(bytes.into())
}

fn pause(seconds: u64) -> Act {
    Act::Pause(Duration::from_secs(seconds))
}

#[test]
fn a_silent_peer_is_left_without_a_word() {
    let (codes, outcome, seconds) = timed(vec![Act::Stay], HUNGRY);
    assert_eq!((codes, outcome.end), (vec![], Ok(())));
    assert_eq!(seconds, 60 + 5, "the idle time, and the time to close");
}

#[test]
fn a_peer_that_stays_after_its_response_is_left() {
    let (codes, outcome, seconds) = timed(vec![pause(50), send(GET), Act::Linger], HUNGRY);
    assert_eq!((codes, outcome.end, outcome.requests), (vec![200], Ok(()), 1));
    assert_eq!(seconds, 50 + 60);
}

#[test]
fn a_head_that_takes_too_long_is_408() {
    let drops = GET[..20].iter().flat_map(|byte| [send([*byte]), pause(1)]);
    let (codes, outcome, seconds) = timed(drops.chain([Act::Linger]).collect(), HUNGRY);
    assert_eq!((codes, outcome.end), (vec![408], Err(Error::Refused(Refusal::Timeout))));
    assert_eq!(seconds, 20, "refused after 15 seconds; the peer goes on for 5");
}

#[test]
fn the_time_for_a_head_begins_with_its_first_byte() {
    let (codes, ..) = timed(vec![pause(59), send(&GET[..9]), pause(14), send(&GET[9..])], HUNGRY);
    assert_eq!(codes, [200]);
}

#[test]
fn the_time_for_a_pipelined_head_begins_with_the_response_before_it() {
    let acts = vec![send([GET, &GET[..9]].concat()), pause(14), send(&GET[9..]), pause(59), send(GET)];
    assert_eq!(timed(acts, HUNGRY).0, [200, 200, 200]);
    let acts = vec![send([GET, &GET[..9]].concat()), pause(16), send(&GET[9..]), Act::Linger];
    assert_eq!(timed(acts, HUNGRY).0, [200, 408]);
}

const POST: &[u8] = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n";

#[test]
fn a_body_that_drips_is_408() {
    let drops = (0..9000).flat_map(|_| [pause(1), send("x")]);
    let (codes, outcome, seconds) = timed([send(POST)].into_iter().chain(drops).collect(), HUNGRY);
    assert_eq!((codes, outcome.end), (vec![408], Err(Error::Refused(Refusal::Timeout))));
    assert!((30..40).contains(&seconds), "{seconds} s: a byte a second is far below 512");
}

#[test]
fn a_body_at_the_least_rate_is_waited_for() {
    let drops = (0..18).flat_map(|_| [pause(1), send([b'x'; 500])]);
    let (codes, ..) = timed([send(POST)].into_iter().chain(drops).collect(), HUNGRY);
    assert_eq!(codes, [200]);
}

#[test]
fn a_quick_start_earns_no_longer_pause() {
    let acts = |seconds| vec![send([POST, &[b'x'; 8000]].concat()), pause(seconds), send([b'x'; 1000])];
    assert_eq!(timed(acts(29), HUNGRY).0, [200]);
    assert_eq!(timed(acts(31), HUNGRY).0, [408]);
}

#[test]
fn a_body_in_drips_of_chunks_is_408() {
    let head = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let drops = (0..9000).flat_map(|_| [pause(1), send("1\r\nx\r\n")]);
    let (codes, ..) = timed([send(head)].into_iter().chain(drops).collect(), HUNGRY);
    assert_eq!(codes, [408]);
}

#[test]
fn an_unread_body_that_drips_closes_the_connection() {
    let head = b"POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n";
    let drops = (0..9000).flat_map(|_| [pause(1), send("x")]);
    let (codes, outcome, seconds) = timed([send(head)].into_iter().chain(drops).collect(), HUNGRY);
    assert_eq!((codes, outcome.end), (vec![200], Ok(())));
    assert!(seconds < 40, "{seconds} s");
}

#[test]
fn a_peer_that_does_not_read_is_left() {
    let request = b"GET /bytes/1000000 HTTP/1.1\r\nHost: a\r\n\r\n";
    let (_, outcome, seconds) = timed(vec![send(request), Act::Stay], (10, Duration::from_secs(5)));
    assert_eq!(outcome.end, Err(Error::Slow));
    assert!((30..40).contains(&seconds), "{seconds} s");
}

#[test]
fn a_peer_that_reads_steadily_is_served_for_as_long_as_it_takes() {
    let request = b"GET /bytes/1000000 HTTP/1.1\r\nHost: a\r\n\r\n";
    let (_, outcome, seconds) = timed(vec![send(request)], (1000, Duration::from_secs(1)));
    assert_eq!(outcome.end, Ok(()));
    assert!(seconds >= 999, "{seconds} s");
}
