//! What goes out in which writes.

mod common;

use common::{Act, LIMITS, PATTERN, Peer, World, codes, serve_peer};
use mirage_clock::testing::MockClock;
use mirage_flow::Direction;
use mirage_http::{Config, Error, Field, Limits, Memory, serve};

fn heard(acts: Vec<Act>) -> Vec<Vec<u8>> {
    let world = World::default();
    let peer = Peer::new(&world, acts);
    world.run(serve_peer(&world, peer.clone(), LIMITS));
    peer.heard.take()
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

#[test]
fn a_small_response_is_one_write() {
    let writes = heard(vec![Act::Send(get("/").into())]);
    assert_eq!(writes.len(), 1);
    assert!(writes[0].ends_with(b"\r\n\r\nhello"));
}

#[test]
fn responses_to_pipelined_requests_are_one_write() {
    let writes = heard(vec![Act::Send(get("/").repeat(10).into())]);
    assert_eq!(writes.len(), 1);
    assert_eq!(codes(&String::from_utf8_lossy(&writes[0])), [200; 10]);
}

#[test]
fn a_response_does_not_wait_for_the_next_request() {
    let writes = heard(vec![Act::Send(get("/").into()), Act::Send(get("/").into())]);
    assert_eq!(writes.len(), 2);
}

#[test]
fn many_pipelined_requests_in_a_small_buffer_are_all_answered() {
    let writes = heard(vec![Act::Send(get("/bytes/100").repeat(200).into())]);
    assert_eq!(codes(&String::from_utf8_lossy(&writes.concat())), [200; 200]);
}

#[test]
fn a_large_body_goes_to_the_flow_as_it_is() {
    let writes = heard(vec![Act::Send(get("/bytes/900000").into())]);
    // The head with the start of the body, and then the handler's own slices.
    assert_eq!(writes.len(), 4);
    assert_eq!(writes[0].len(), 2048);
    assert!(writes[1..].iter().all(|write| write.len() > 290_000));
    let all = writes.concat();
    let body = all.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert!(all[body..] == PATTERN.repeat(3));
}

#[test]
fn a_flow_that_takes_little_gets_it_all() {
    let world = World::default();
    let mut peer = Peer::new(&world, [Act::Send(get("/bytes/5000").into()), Act::Send(get("/").into())]);
    peer.appetite.0 = 7;
    world.run(serve_peer(&world, peer.clone(), LIMITS));
    let text = peer.text();
    assert!(text.contains(core::str::from_utf8(&PATTERN[..5000]).unwrap()));
    assert_eq!(codes(&text), [200, 200]);
}

#[test]
fn both_directions_end_and_the_peer_can_read_the_answer() {
    let world = World::default();
    // Data that nobody reads would turn the close into a reset: it is read away first.
    let peer = Peer::new(&world, [Act::Send([&b"nonsense\n"[..], &[b'x'; 5000]].concat()), Act::Linger]);
    let outcome = world.run(serve_peer(&world, peer.clone(), LIMITS));
    assert!(matches!(outcome.end, Err(Error::Refused(_))));
    assert_eq!(*peer.ended.borrow(), [Direction::Write, Direction::Both]);
    assert_eq!(codes(&peer.text()), [400]);
}

#[test]
fn a_refused_peer_that_never_closes_is_left() {
    let world = World::default();
    let peer = Peer::new(&world, [Act::Send(b"nonsense\n".to_vec()), Act::Stay]);
    world.run(serve_peer(&world, peer.clone(), LIMITS));
    assert_eq!(world.clock_now(), LIMITS.linger_time.as_nanos());
    assert_eq!(*peer.ended.borrow(), [Direction::Write, Direction::Both]);
}

#[test]
fn a_refused_peer_that_never_stops_is_left() {
    let world = World::default();
    let peer = Peer::new(&world, [Act::Send([&b"nonsense\n"[..], &vec![b'x'; 500_000]].concat())]);
    world.run(serve_peer(&world, peer.clone(), LIMITS));
    assert_eq!(world.clock_now(), 0);
}

#[test]
fn the_date_is_the_walls() {
    let world = World::default();
    let wall = MockClock::new();
    wall.set_wall(784_111_777);
    let peer = Peer::new(&world, [Act::Send(get("/").into())]);
    let (mut input, mut output, mut fields) = ([0; 1024], [0; 1024], [Field::default(); 8]);
    let memory = Memory { input: &mut input, output: &mut output, fields: &mut fields };
    let config = Config { limits: Limits::DEFAULT, wall: Some(&wall) };
    world.run(serve(peer.clone(), memory, &world, &world, &config, &common::App));
    assert!(peer.text().contains("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), "{}", peer.text());
}

#[test]
fn buffers_without_room_refuse_and_do_not_panic() {
    for (input, output, fields) in [(0, 0, 0), (1, 1, 1), (64, 64, 0), (65, 0, 3), (100, 10, 3), (300, 30, 8)] {
        let world = World::default();
        let peer = Peer::new(&world, [Act::Send(get("/").into())]);
        let (mut input, mut output, mut fields) = (vec![0; input], vec![0; output], vec![Field::default(); fields]);
        let memory = Memory { input: &mut input, output: &mut output, fields: &mut fields };
        let outcome = world.run(serve(peer.clone(), memory, &world, &world, &Config::default(), &common::App));
        assert!(outcome.end.is_err(), "{outcome:?}");
    }
}
