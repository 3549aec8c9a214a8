//! Dates, ranges, paths, chunks and routes, by themselves.

use mirage_http::range::Range;
use mirage_http::{Match, Method, PathError, Route, Router, Target, chunked, content_type, date, decode_path};
use proptest::prelude::*;

#[test]
fn the_edges_of_time_have_dates() {
    let text = |seconds| date::format(seconds).map(|text| String::from_utf8(text.to_vec()).unwrap());
    assert_eq!(text(0).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    assert_eq!(text(-1).as_deref(), Some("Wed, 31 Dec 1969 23:59:59 GMT"));
    assert_eq!(text(951_782_400).as_deref(), Some("Tue, 29 Feb 2000 00:00:00 GMT"));
    assert_eq!(text(4_107_542_400).as_deref(), Some("Mon, 01 Mar 2100 00:00:00 GMT"));
    assert_eq!(text(253_402_300_799).as_deref(), Some("Fri, 31 Dec 9999 23:59:59 GMT"));
    assert_eq!(text(-62_135_596_800).as_deref(), Some("Mon, 01 Jan 0001 00:00:00 GMT"));
    for outside in [253_402_300_800, -62_135_596_801, i64::MAX, i64::MIN] {
        assert_eq!(text(outside), None, "{outside}");
    }
}

#[test]
fn what_is_no_date_is_not_read() {
    for text in [
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Tue, 30 Feb 2000 00:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "",
    ] {
        assert_eq!(date::parse(text.as_bytes()), None, "{text}");
    }
    assert_eq!(date::parse(b"Sat, 31 Dec 2016 23:59:60 GMT"), date::parse(b"Sun, 01 Jan 2017 00:00:00 GMT"));
}

#[test]
fn a_path_without_room_is_told_so() {
    assert_eq!(decode_path("/abc", &mut [0; 3]), Err(PathError::BufferTooSmall));
    assert_eq!(decode_path("/abc", &mut [0; 4]), Ok("/abc"));
    assert_eq!(decode_path("abc", &mut [0; 4]), Err(PathError::NotAbsolute));
    assert_eq!(decode_path("/%4", &mut [0; 4]), Err(PathError::Malformed));
}

#[test]
fn dot_segments_go_as_in_the_standard() {
    for (path, expected) in [
        ("/a/b/c/./../../g", "/a/g"),
        ("/./a", "/a"),
        ("/a/.", "/a/"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/..", "/"),
        ("/.", "/"),
        ("/", "/"),
        ("/a//b", "/a//b"),
        ("/...", "/..."),
        ("/a/", "/a/"),
    ] {
        assert_eq!(decode_path(path, &mut [0; 32]), Ok(expected), "{path}");
    }
}

#[test]
fn routes_match_by_segments() {
    let router = Router::new(&[
        Route { method: Method::Get, pattern: "/a", target: 1 },
        Route { method: Method::Get, pattern: "/a/{b}/c/{d}", target: 2 },
        Route { method: Method::Post, pattern: "/a/{b}/c/{d}", target: 3 },
        Route { method: Method::Get, pattern: "/f/{rest...}", target: 4 },
    ]);
    let find = |path| match router.find(Method::Get, path) {
        Match::Found(target, parameters) => Some((*target, parameters.get("b"), parameters.get("rest"))),
        _ => None,
    };
    assert_eq!(find("/a"), Some((1, None, None)));
    assert_eq!(find("/a/"), None);
    assert_eq!(find("/ab"), None);
    assert_eq!(find("/a/x/c/y"), Some((2, Some("x"), None)));
    assert_eq!(find("/a//c/y"), None, "an empty segment is no parameter");
    assert_eq!(find("/a/x/c"), None);
    assert_eq!(find("/a/x/c/y/z"), None);
    assert_eq!(find("/f/"), Some((4, None, Some(""))));
    assert_eq!(find("/f/x/y"), Some((4, None, Some("x/y"))));
    assert_eq!(find("/f"), None);
    assert!(matches!(router.find(Method::Post, "/a/x/c/y"), Match::Found(3, _)));
    assert!(matches!(router.find(Method::Head, "/a"), Match::Found(1, _)));
    assert!(matches!(router.find(Method::Post, "/no"), Match::NotFound));
}

#[test]
fn types_go_by_the_last_extension() {
    assert_eq!(content_type("a.tar.gz"), "application/gzip");
    assert_eq!(content_type("dir.html/file"), "application/octet-stream");
    assert_eq!(content_type(""), "application/octet-stream");
}

proptest! {
    #[test]
    fn dates_are_read_as_they_are_written(seconds in -62_135_596_800_i64..=253_402_300_799) {
        prop_assert_eq!(date::parse(&date::format(seconds).unwrap()), Some(seconds));
    }

    #[test]
    fn days_follow_each_other(day in -719_162_i64..2_932_896) {
        // No date twice, and the days of a month ascend by one until the next begins.
        let number = |day: i64| {
            let text = date::format(day * 86_400).unwrap();
            (String::from_utf8(text[5..7].to_vec()).unwrap().parse::<u32>().unwrap(), text[8..11].to_vec())
        };
        let ((today, month), (tomorrow, next)) = (number(day), number(day + 1));
        let expected = if month == next { today + 1 } else { 1 };
        prop_assert!(tomorrow == expected && (month == next || today >= 28));
    }

    #[test]
    fn noise_is_no_date(text in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Some(seconds) = date::parse(&text) {
            prop_assert_eq!(date::format(seconds).map(|text| text.to_vec()), Some(text));
        }
    }

    #[test]
    fn a_range_is_within_its_value(field in "(bytes=)?[-0-9, ]{0,30}", size in any::<u64>()) {
        match Range::new(field.as_bytes(), size) {
            Range::Part { first, last } => prop_assert!(first <= last && last < size),
            Range::Whole | Range::Unsatisfiable => {}
        }
    }

    #[test]
    fn a_decoded_path_leads_nowhere_else(path in "(/([.a]|%2[eEfF]|%[0-9a-f]{2}|é){0,4}){0,8}") {
        let mut buffer = [0; 256];
        if let Ok(decoded) = decode_path(&path, &mut buffer) {
            prop_assert!(decoded.starts_with('/'));
            prop_assert!(!decoded.contains('\0'));
            prop_assert!(decoded.split('/').all(|segment| segment != "." && segment != ".."));
        }
    }

    #[test]
    fn no_target_is_read_with_a_space_or_control_in_it(text in "\\PC{0,40}") {
        for method in Method::ALL {
            if let Some(target) = Target::new(method, &text) {
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(target.path().is_empty() || target.path().starts_with('/'));
            }
        }
    }

    /// Coded in chunks and decoded in pieces, with at most some bytes taken at a time, a body is itself.
    #[test]
    fn chunks_are_decoded_as_they_are_coded(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
        piece in 1_usize..50,
        most in 1_usize..50,
    ) {
        let mut coded = Vec::new();
        for chunk in &chunks {
            coded.extend_from_slice(chunked::size_line(chunk.len() as u64, &mut [0; 18]));
            coded.extend_from_slice(chunk);
            coded.extend_from_slice(b"\r\n");
        }
        coded.extend_from_slice(chunked::END);
        coded.extend_from_slice(b"next");
        let mut decoder = chunked::Decoder::new(0, 0);
        let (mut body, mut at) = (Vec::new(), 0);
        while !decoder.is_done() {
            let input = &coded[at..(at + piece).min(coded.len())];
            let decoded = decoder.advance(input, most).unwrap();
            prop_assert!(decoded.data <= most && decoded.skip + decoded.data > 0);
            body.extend_from_slice(&input[decoded.skip..decoded.skip + decoded.data]);
            at += decoded.skip + decoded.data;
        }
        prop_assert_eq!(body, chunks.concat());
        prop_assert_eq!(&coded[at..], b"next");
    }
}
