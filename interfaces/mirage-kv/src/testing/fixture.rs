//! What the store under examination holds.

/// Paths and values that have broken stores before: an empty value, bytes that are no text, a value above 64 KiB, names
/// that are prefixes of each other, names that sort below `/`, one name at several depths, and equal values.
pub const FIXTURE: &[(&str, &[u8])] = &[
    ("/a", b"one"),
    ("/ab", b"two"),
    ("/a-dictionary/a", b"one"),
    ("/binary", &[0, 255, 10, 13, 0, 128]),
    ("/deep/er/and/deeper/still", b"found"),
    ("/deep/er/value", b"half way"),
    ("/deep-sea", b"not in /deep"),
    ("/deep.txt", b"nor is this"),
    ("/empty", b""),
    ("/index.html", b"<!doctype html><title>Root</title>"),
    ("/large", &LARGE),
    ("/names/.hidden", b"dot"),
    ("/names/with space", b"space"),
    ("/names/\u{fc}ml\u{e4}ut", b"two bytes a letter"),
];

/// A byte pattern whose period is no power of two, so that a part read from the wrong place shows.
static LARGE: [u8; 70_000] = {
    let mut bytes = [0; 70_000];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = (at % 251) as u8;
        at += 1;
    }
    bytes
};
