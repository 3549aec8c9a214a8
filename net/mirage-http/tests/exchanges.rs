//! What goes in and what comes out, byte by byte: valid, invalid and smuggled.

mod common;

use common::{Act, LIMITS, Peer, World, answer, codes, play, serve_peer};
use mirage_clock::Instant;
use mirage_http::server::{Connection, Step};
use mirage_http::{BodyStep, Field, Limits, Refusal};

/// The answer is the same however the input is cut. `100 Continue` is left out: it depends on what has come.
fn steady(input: &[u8]) -> (String, mirage_http::Outcome) {
    let clean = |(text, outcome): (String, _)| (text.replace("HTTP/1.1 100 Continue\r\n\r\n", ""), outcome);
    let whole = clean(answer(input));
    for at in 1..input.len() {
        let (first, second) = input.split_at(at);
        let cut = clean(play([Act::Send(first.into()), Act::Send(second.into())]));
        assert_eq!(cut, whole, "cut at {at}");
    }
    let bytes = clean(play(input.iter().map(|byte| Act::Send(vec![*byte]))));
    assert_eq!(bytes, whole, "byte by byte");
    whole
}

macro_rules! exchanges {
    ($($name:ident: $input:expr => $codes:expr;)*) => {
        $(#[test]
        fn $name() {
            let input = $input;
            let input: &[u8] = input.as_ref();
            let (text, outcome) = steady(input);
            assert_eq!(codes(&text), $codes, "{text}");
            // Whoever is refused is told that the connection closes, and nothing is read after that.
            let refused = $codes.last().is_some_and(|code: &u16| matches!(code, 400 | 408 | 413 | 414 | 417 | 431 | 501 | 505));
            assert_eq!(refused, outcome.end.is_err(), "{outcome:?}");
            if refused {
                assert!(text.rsplit("HTTP/1.1 ").next().unwrap().contains("Connection: close\r\n"), "{text}");
            }
        })*
    };
}

const NEXT: &str = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";

/// A request with a body in chunks that are `body`, and another request after it.
fn chunked(body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}{NEXT}")
}

/// A request with these lines in its head, and another request after it.
fn with(lines: &str, body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}{NEXT}")
}

exchanges! {
    // Valid.
    a_request_is_answered: "GET / HTTP/1.1\r\nHost: a\r\n\r\n" => [200];
    requests_are_answered_one_after_the_other: format!("{NEXT}{NEXT}GET /no HTTP/1.1\r\nHost: a\r\n\r\n{NEXT}") => [200, 200, 404, 200];
    an_empty_line_before_a_request_is_passed_over: format!("\r\n\r\n{NEXT}\r\n{NEXT}") => [200, 200];
    a_body_of_known_length_ends_where_it_says: with("Content-Length: 5\r\n", "12345") => [200, 200];
    a_body_in_chunks_ends_with_the_empty_one: chunked("5\r\n12345\r\n0\r\n\r\n") => [200, 200];
    hexadecimal_sizes_are_read_in_both_cases: chunked("a\r\n1234567890\r\nA\r\n1234567890\r\n0A\r\n1234567890\r\n000\r\n\r\n") => [200, 200];
    chunk_extensions_are_passed_over: chunked("3;a=b\r\n123\r\n0;c=\"d\"\r\n\r\n") => [200, 200];
    trailers_are_passed_over: chunked("3\r\n123\r\n0\r\nX: y\r\nContent-Length: 3\r\n\r\n") => [200, 200];
    the_same_length_twice_is_one_length: with("Content-Length: 5\r\nContent-Length: 5\r\n", "12345") => [200, 200];
    an_unread_body_is_read_away: format!("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc{NEXT}") => [200, 200];
    an_unread_body_in_chunks_is_read_away: format!("POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n{NEXT}") => [200, 200];
    a_body_can_be_answered_while_it_comes: format!("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n{NEXT}") => [200, 200];
    head_has_the_length_and_no_body: format!("HEAD /bytes/7 HTTP/1.1\r\nHost: a\r\n\r\n{NEXT}") => [200, 200];
    a_response_without_content_has_no_length: format!("GET /empty HTTP/1.1\r\nHost: a\r\n\r\n{NEXT}") => [204, 200];
    a_close_is_honoured: format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n{NEXT}") => [200];
    a_close_among_other_options_is_honoured: format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n{NEXT}") => [200];
    http_1_0_closes: format!("GET / HTTP/1.0\r\n\r\n{NEXT}") => [200];
    http_1_0_keeps_alive_when_it_asks: format!("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n{NEXT}") => [200, 200];
    http_1_0_gets_no_chunks: format!("GET /chunks/3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n{NEXT}") => [200];
    a_request_is_answered_after_the_peers_end: NEXT => [200];
    half_a_request_is_no_request: format!("{NEXT}GET / HTTP/1.1\r\nHo") => [200];
    nothing_is_no_request: "" => [0_u16; 0];
    an_absolute_target_is_a_target: "GET http://example.org/ HTTP/1.1\r\nHost: a\r\n\r\n" => [200];
    options_of_everything_is_a_target: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" => [404];
    connect_names_an_authority: "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n" => [404];
    an_unknown_method_is_for_the_handler: "BREW / HTTP/1.1\r\nHost: a\r\n\r\n" => [405];
    methods_are_case_sensitive: "get / HTTP/1.1\r\nHost: a\r\n\r\n" => [405];
    a_wrong_method_is_told_the_right_ones: "DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n" => [405];
    a_peer_may_expect_to_continue: with("Content-Length: 5\r\nExpect: 100-continue\r\n", "12345") => [200, 200];
    an_empty_host_is_a_host: "GET / HTTP/1.1\r\nHost:\r\n\r\n" => [200];

    // Refused: not HTTP/1.1.
    noise_is_400: "\u{1}\u{2}\u{3}\r\n\r\n" => [400];
    a_tls_hello_is_400: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n" => [400];
    http_2_is_505: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" => [505];
    http_1_2_is_505: "GET / HTTP/1.2\r\nHost: a\r\n\r\n" => [505];
    a_word_for_a_version_is_400: "GET / FTP\r\nHost: a\r\n\r\n" => [400];
    no_version_is_400: "GET /\r\nHost: a\r\n\r\n" => [400];
    a_target_without_a_slash_is_400: "GET a HTTP/1.1\r\nHost: a\r\n\r\n" => [400];
    a_fragment_is_400: "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n" => [400];
    an_asterisk_is_for_options_only: "GET * HTTP/1.1\r\nHost: a\r\n\r\n" => [400];
    a_user_in_an_absolute_target_is_400: "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n" => [400];
    another_scheme_is_400: "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n" => [400];
    a_name_that_is_no_token_is_400: "GET / HTTP/1.1\r\nHost: a\r\nA(b: c\r\n\r\n" => [400];
    an_empty_name_is_400: "GET / HTTP/1.1\r\nHost: a\r\n: c\r\n\r\n" => [400];
    a_nul_in_a_value_is_400: "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n" => [400];

    noise_after_a_request_is_400: format!("{NEXT}noise\r\n") => [200, 400];
    noise_after_a_body_is_400: with("Content-Length: 3\r\n", "123noise\r\n") => [200, 400];

    // Refused: too much.
    a_long_target_is_414: format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(256)) => [414];
    a_target_without_end_is_414: format!("GET /{}", "a".repeat(1500)) => [414];
    a_long_head_is_431: format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(1000)) => [431];
    a_head_without_end_is_431: format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(1500)) => [431];
    too_many_fields_are_431: format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(20)) => [431];
    as_many_fields_as_are_lent_are_fine: format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(19)) => [200];
    a_long_body_is_413: with("Content-Length: 10001\r\n", "") => [413];
    a_length_beyond_all_numbers_is_400: with("Content-Length: 18446744073709551616\r\n", "") => [400];
    too_many_extensions_are_400: chunked(&format!("3;{}\r\n123\r\n0\r\n\r\n", "a".repeat(51))) => [400];
    too_many_trailers_are_400: chunked(&format!("0\r\nX: {}\r\n\r\n", "a".repeat(100))) => [400];

    // Refused: could be read in two ways.
    no_host_is_400: "GET / HTTP/1.1\r\n\r\n" => [400];
    two_hosts_are_400: "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" => [400];
    a_host_that_is_none_is_400: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" => [400];
    a_length_and_a_coding_are_400: with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") => [400];
    a_coding_and_a_length_are_400: with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n") => [400];
    two_lengths_are_400: with("Content-Length: 5\r\nContent-Length: 6\r\n", "12345") => [400];
    a_list_of_lengths_is_400: with("Content-Length: 5, 5\r\n", "12345") => [400];
    a_length_with_a_sign_is_400: with("Content-Length: +5\r\n", "12345") => [400];
    a_negative_length_is_400: with("Content-Length: -5\r\n", "12345") => [400];
    a_hexadecimal_length_is_400: with("Content-Length: 0x5\r\n", "12345") => [400];
    an_empty_length_is_400: with("Content-Length:\r\n", "12345") => [400];
    a_coding_in_http_1_0_is_400: "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => [400];
    a_coding_after_chunked_is_400: with("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n") => [400];
    chunked_twice_is_400: with("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n") => [400];
    chunked_twice_on_two_lines_is_400: with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") => [400];
    identity_alone_is_400: with("Transfer-Encoding: identity\r\n", "") => [400];
    an_empty_coding_is_400: with("Transfer-Encoding:\r\n", "") => [400];
    an_unknown_coding_is_501: with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n") => [501];
    a_coding_almost_like_chunked_is_501: with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n") => [501];
    a_coding_with_a_vertical_tab_is_400: with("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n") => [400];
    another_expectation_is_417: with("Expect: miracles\r\n", "") => [417];
    white_space_before_the_colon_is_400: with("Content-Length : 5\r\n", "12345") => [400];
    a_folded_line_is_400: with("X: a\r\n b\r\n", "") => [400];
    a_folded_first_line_is_400: "GET / HTTP/1.1\r\n Host: a\r\n\r\n" => [400];
    a_lone_lf_after_the_request_line_is_400: "GET / HTTP/1.1\nHost: a\r\n\r\n" => [400];
    a_lone_lf_after_a_field_is_400: "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n" => [400];
    a_lone_lf_after_the_last_field_is_400: "GET / HTTP/1.1\r\nHost: a\n\r\n" => [400];
    a_lone_lf_at_the_end_of_the_head_is_400: "GET / HTTP/1.1\r\nHost: a\r\n\n" => [400];
    a_lone_cr_in_a_value_is_400: "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n" => [400];
    an_empty_chunk_size_is_400: chunked("\r\n\r\n") => [400];
    a_chunk_size_with_a_sign_is_400: chunked("+3\r\n123\r\n0\r\n\r\n") => [400];
    a_negative_chunk_size_is_400: chunked("-3\r\n123\r\n0\r\n\r\n") => [400];
    a_chunk_size_with_0x_is_400: chunked("0x3\r\n123\r\n0\r\n\r\n") => [400];
    white_space_before_a_chunk_size_is_400: chunked(" 3\r\n123\r\n0\r\n\r\n") => [400];
    white_space_after_a_chunk_size_is_400: chunked("3 \r\n123\r\n0\r\n\r\n") => [400];
    a_chunk_size_of_17_digits_is_400: chunked("00000000000000003\r\n123\r\n0\r\n\r\n") => [400];
    a_chunk_size_beyond_all_numbers_is_400: chunked("10000000000000000\r\n123\r\n0\r\n\r\n") => [400];
    a_lone_lf_after_a_chunk_size_is_400: chunked("3\n123\r\n0\r\n\r\n") => [400];
    a_lone_cr_after_a_chunk_size_is_400: chunked("3\r123\r\n0\r\n\r\n") => [400];
    a_lone_lf_after_a_chunk_is_400: chunked("3\r\n123\n0\r\n\r\n") => [400];
    a_lone_cr_after_a_chunk_is_400: chunked("3\r\n123\rX0\r\n\r\n") => [400];
    a_lone_lf_in_an_extension_is_400: chunked("3;a\n123\r\n0\r\n\r\n") => [400];
    a_chunk_longer_than_its_size_is_400: chunked("3\r\n1234\r\n0\r\n\r\n") => [400];
    a_lone_lf_after_the_last_chunk_is_400: chunked("0\r\n\n") => [400];
    a_lone_lf_after_a_trailer_is_400: chunked("0\r\nX: y\n\r\n") => [400];
    a_folded_trailer_is_400: chunked("0\r\n x\r\n\r\n") => [400];
}

#[test]
fn a_body_in_chunks_that_grows_too_long_is_413() {
    let chunk = format!("400\r\n{}\r\n", "a".repeat(1024));
    let (text, outcome) = answer(chunked(&format!("{}0\r\n\r\n", chunk.repeat(10))).as_bytes());
    assert_eq!(codes(&text), [413]);
    assert_eq!(outcome.requests, 1);
}

#[test]
fn a_body_that_was_refused_stays_refused() {
    let (mut buffer, mut fields) = (vec![0; 2048], [Field::default(); 16]);
    let limits = Limits { body: 4, ..Limits::DEFAULT };
    let mut connection = Connection::new(Instant::ZERO, &mut buffer, &mut fields, limits);
    connection.input(Instant::ZERO, chunked("5\r\n12345\r\n0\r\n\r\n").as_bytes());
    assert!(matches!(connection.next(Instant::ZERO), Step::Request(..)));
    let mut body = connection.body().unwrap();
    for _ in 0..3 {
        assert_eq!(body.next(100), BodyStep::Refused(Refusal::BodyTooLarge));
    }
}

#[test]
fn a_body_that_nobody_reads_is_read_away_up_to_a_bound() {
    let body = "x".repeat(3000);
    let whole = format!("Content-Length: 3000\r\n\r\n{body}{NEXT}");
    let chunks = format!("Transfer-Encoding: chunked\r\n\r\nbb8\r\n{body}\r\n0\r\n\r\n{NEXT}");
    for (drain, expected) in [(3000, vec![200, 200]), (2999, vec![200])] {
        for framed in [&whole, &chunks] {
            let world = World::default();
            let request = format!("POST /ignore HTTP/1.1\r\nHost: a\r\n{framed}");
            let peer = Peer::new(&world, [Act::Send(request.into_bytes())]);
            world.run(serve_peer(&world, peer.clone(), Limits { drain, ..LIMITS }));
            assert_eq!(codes(&peer.text()), expected, "with {drain} bytes");
        }
    }
}

#[test]
fn the_largest_chunk_size_overflows_nothing() {
    let (text, _) = answer(chunked("ffffffffffffffff\r\n123").as_bytes());
    assert_eq!(codes(&text), Vec::<u16>::new(), "the body was cut off, so there is nobody to answer");
}

#[test]
fn the_whole_response_is_what_it_should_be() {
    let (text, _) = answer(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello");
    let (text, _) = answer(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n");
    let (text, _) = answer(b"GET /empty HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(text, "HTTP/1.1 204 No Content\r\n\r\n");
    let (text, _) = answer(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(text.contains("\r\nConnection: keep-alive\r\n"), "{text}");
    let (text, _) = answer(b"GET /chunks/3 HTTP/1.0\r\n\r\n");
    assert_eq!(text, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
    let (text, _) = answer(b"GET /chunks/3 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    let (text, _) = answer(b"x");
    assert_eq!(text, "");
    let (text, _) = answer(b"x\n");
    assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\nContent-Length: 11\r\nConnection: close\r\n"), "{text}");
}

#[test]
fn what_was_sent_is_echoed() {
    let (text, _) = steady(chunked("3;x\r\nabc\r\n4\r\ndefg\r\n0\r\nT: u\r\n\r\n").as_bytes());
    assert!(text.starts_with("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdefgHTTP"), "{text}");
    let (text, _) = answer(b"POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd");
    let body: String = text.split("\r\n\r\n").nth(1).unwrap().split("\r\n").skip(1).step_by(2).collect();
    // However the chunks were cut, which is not for the test to know.
    assert!(text.ends_with("0\r\n\r\n") && body.starts_with('a'), "{text}");
}

#[test]
fn allow_names_the_methods_of_the_path() {
    let (text, _) = answer(b"DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(text.contains("\r\nAllow: POST, PUT, OPTIONS\r\n"), "{text}");
    let (text, _) = answer(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(text.contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"), "{text}");
}

#[test]
fn a_peer_that_waits_for_leave_gets_it_once() {
    let head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    let (text, _) = play([Act::Send(head.to_vec()), Act::Send(b"ab".to_vec()), Act::Send(b"cd".to_vec())]);
    assert_eq!(text, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd");
}

#[test]
fn a_peer_that_does_not_wait_for_leave_needs_none() {
    let (text, _) = answer(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nabcd");
    assert_eq!(codes(&text), [200]);
}

#[test]
fn a_body_that_nobody_wants_is_not_asked_for() {
    let head = b"POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    let (text, outcome) = play([Act::Send(head.to_vec()), Act::Linger]);
    assert_eq!(codes(&text), [200]);
    assert!(text.contains("Connection: close"), "whether the body follows is not known: {text}");
    assert_eq!(outcome.end, Ok(()));
}

#[test]
fn a_handler_that_fails_is_500() {
    for target in ["fail", "inject"] {
        let (text, outcome) = answer(format!("GET /{target} HTTP/1.1\r\nHost: a\r\n\r\n{NEXT}").as_bytes());
        assert_eq!(codes(&text), [500], "{target}");
        assert!(!text.contains("Set-Cookie") && text.contains("Connection: close"), "{text}");
        assert!(outcome.end.is_err());
    }
}

#[test]
fn a_body_of_another_length_than_it_said_ends_the_connection() {
    for (target, body) in [("short", "short"), ("long", "")] {
        let (text, outcome) = answer(format!("GET /{target} HTTP/1.1\r\nHost: a\r\n\r\n{NEXT}").as_bytes());
        assert!(text.ends_with(&format!("\r\n\r\n{body}")), "{text}");
        assert_eq!(outcome.end, Err(mirage_http::Error::Length));
        assert_eq!(outcome.requests, 1);
    }
}

#[test]
fn targets_are_told_in_all_forms() {
    let said = |line: &str| {
        let (text, _) = answer(format!("GET {line} HTTP/1.1\r\nHost: a:80\r\n\r\n").as_bytes());
        text.split("\r\n\r\n").nth(1).unwrap().to_owned()
    };
    assert_eq!(said("/target/x?y=z?"), "a:80 /target/x y=z?");
    assert_eq!(said("HTTP://b:81/target/x"), "b:81 /target/x -");
    assert_eq!(said("/target/%41%20%2e%2e/../%2e%2e/b"), "a:80 /b -");
    assert_eq!(said("/target/../../../../etc/passwd"), "a:80 /etc/passwd -");
    assert_eq!(said("/target/%00"), "a:80 malformed -");
    assert_eq!(said("/target/..%2fx"), "a:80 malformed -");
}
