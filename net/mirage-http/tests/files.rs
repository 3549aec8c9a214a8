//! Files out of a store.

mod common;

use common::answer;

/// The status, head and body of the answer to a request for `path` below `/files`, with these lines in its head.
fn ask(method: &str, path: &str, lines: &str) -> (u16, String, String) {
    let (text, _) = answer(format!("{method} /files{path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes());
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head[9..12].parse().unwrap(), format!("{head}\r\n"), body.to_owned())
}

fn get(path: &str, lines: &str) -> (u16, String, String) {
    ask("GET", path, lines)
}

fn tag() -> String {
    let (_, head, _) = get("/docs/page.txt", "");
    head.split("ETag: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned()
}

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

#[test]
fn a_file_comes_with_what_caches_need() {
    let (status, head, body) = get("/docs/page.txt", "");
    assert_eq!((status, body.as_str()), (200, "0123456789"));
    for line in ["Content-Length: 10", "Content-Type: text/plain; charset=utf-8", "Accept-Ranges: bytes"] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
    assert!(head.contains(&format!("\r\nLast-Modified: {DATE}\r\n")), "{head}");
    assert_eq!(tag().len(), 34, "a strong tag of 16 bytes");
}

#[test]
fn a_dictionary_shows_its_index() {
    assert_eq!(get("/", "").2, "<p>home");
    assert_eq!(get("/docs/", "").2, "<p>docs");
    assert!(get("/", "").1.contains("Content-Type: text/html"));
}

#[test]
fn a_dictionary_without_a_slash_leads_to_the_one_with_it() {
    let (status, head, _) = get("/docs", "");
    assert_eq!(status, 308);
    assert!(head.contains("\r\nLocation: /docs/\r\n"), "{head}");
}

#[test]
fn what_is_not_there_is_404() {
    for path in ["/no", "/bare/", "/docs/page.txt/", "/docs//page.txt", "//docs", "/docs/page.txt/x"] {
        assert_eq!(get(path, "").0, 404, "{path}");
    }
}

#[test]
fn no_path_leads_out() {
    assert_eq!(get("/../../docs/page.txt", "").2, "0123456789");
    assert_eq!(get("/%2e%2e/%2E./docs/page.txt", "").2, "0123456789");
    assert_eq!(get("/docs%2fpage.txt", "").0, 400);
    assert_eq!(get("/docs/page.txt%00", "").0, 400);
    assert_eq!(get("/%zz", "").0, 400);
    assert_eq!(get("/%ff", "").0, 400);
}

#[test]
fn names_are_decoded() {
    let (status, head, body) = get("/with%20space.css?v=1", "");
    assert_eq!((status, body.as_str()), (200, "p{}"));
    assert!(head.contains("text/css"));
}

#[test]
fn head_is_get_without_the_body() {
    let (status, head, body) = ask("HEAD", "/docs/page.txt", "Range: bytes=1-2\r\n");
    assert_eq!((status, body.as_str()), (200, ""));
    assert_eq!(head, get("/docs/page.txt", "").1);
}

#[test]
fn an_empty_file_is_a_file() {
    let (status, head, body) = get("/empty", "");
    assert_eq!((status, body.as_str()), (200, ""));
    assert!(head.contains("Content-Length: 0"));
}

#[test]
fn another_method_is_405() {
    let (status, head, _) = ask("POST", "/docs/page.txt", "Content-Length: 0\r\n");
    assert_eq!(status, 405);
    assert!(head.contains("Allow: GET, HEAD\r\n"));
}

#[test]
fn a_known_tag_is_304() {
    let tag = tag();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let (status, head, body) = get("/docs/page.txt", &format!("If-None-Match: {known}\r\n"));
        assert_eq!((status, body.as_str()), (304, ""), "{known}");
        assert!(head.contains(&tag), "{head}");
    }
    assert_eq!(get("/docs/page.txt", "If-None-Match: \"x\"\r\n").0, 200);
}

#[test]
fn a_file_that_was_not_changed_since_is_304() {
    let since = |date: &str| get("/docs/page.txt", &format!("If-Modified-Since: {date}\r\n")).0;
    assert_eq!(since(DATE), 304);
    assert_eq!(since("Sun, 06 Nov 1994 08:49:38 GMT"), 304);
    assert_eq!(since("Sun, 06 Nov 1994 08:49:36 GMT"), 200);
    assert_eq!(since("yesterday"), 200);
}

#[test]
fn an_unknown_tag_counts_more_than_a_date() {
    let lines = format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {DATE}\r\n");
    assert_eq!(get("/docs/page.txt", &lines).0, 200);
}

#[test]
fn a_range_is_206() {
    for (range, body, told) in [
        ("bytes=0-3", "0123", "0-3"),
        ("bytes=8-", "89", "8-9"),
        ("bytes=8-99", "89", "8-9"),
        ("bytes=-3", "789", "7-9"),
        ("bytes=-99", "0123456789", "0-9"),
        ("BYTES=4-4", "4", "4-4"),
    ] {
        let (status, head, part) = get("/docs/page.txt", &format!("Range: {range}\r\n"));
        assert_eq!((status, part.as_str()), (206, body), "{range}");
        assert!(head.contains(&format!("\r\nContent-Range: bytes {told}/10\r\n")), "{head}");
    }
}

#[test]
fn a_range_beyond_the_end_is_416() {
    for range in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
        let (status, head, _) = get("/docs/page.txt", &format!("Range: {range}\r\n"));
        assert_eq!(status, 416, "{range}");
        assert!(head.contains("\r\nContent-Range: bytes */10\r\n"), "{head}");
    }
    assert_eq!(get("/empty", "Range: bytes=0-\r\n").0, 416);
}

#[test]
fn what_is_no_single_range_is_the_whole() {
    for range in ["bytes=0-1,3-4", "lines=1-2", "bytes=", "bytes=a-b", "bytes=5-2", "bytes=-", "bytes 0-1"] {
        assert_eq!(get("/docs/page.txt", &format!("Range: {range}\r\n")).0, 200, "{range}");
    }
}

#[test]
fn a_range_of_another_version_is_the_whole() {
    let part = |validator: &str| get("/docs/page.txt", &format!("Range: bytes=0-1\r\nIf-Range: {validator}\r\n")).0;
    assert_eq!(part(&tag()), 206);
    assert_eq!(part(DATE), 206);
    assert_eq!(part("\"x\""), 200);
    assert_eq!(part(&format!("W/{}", tag())), 200);
    assert_eq!(part("Sun, 06 Nov 1994 08:49:38 GMT"), 200);
}
