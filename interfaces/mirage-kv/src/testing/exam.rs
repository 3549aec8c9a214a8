//! The exam for every store that can be read.

use core::ops::ControlFlow;

use crate::{Entry, Error, ErrorKind, Key, Kind, ReadOnly};

/// How much the exam reads at once. Values that are longer are read in parts, and must be refused as a whole.
const BUFFER: usize = 72 * 1024;

/// The exam for a store: it holds exactly `fixture`, pairs of a path and a value, and answers every question as
/// [`ReadOnly`] says. [`FIXTURE`](super::FIXTURE) has the cases that matter.
///
/// The future holds a buffer of 72 KiB.
///
/// # Panics
/// When the store fails the exam, or `fixture` is no store (a path that is no key).
pub async fn examine(store: &impl ReadOnly, fixture: &[(&str, &[u8])]) {
    let mut buffer = [0; BUFFER];
    dictionary(store, Key::ROOT, fixture).await;
    for (path, value) in fixture {
        let key = parse(path);
        existence(store, key).await;
        whole(store, key, value, &mut buffer).await;
        parts(store, key, value, &mut buffer).await;
        not_a_dictionary(store, key).await;
        let mut above = key.parent();
        while let Some(parent) = above.filter(|parent| !parent.is_root()) {
            dictionary(store, parent, fixture).await;
            above = parent.parent();
        }
    }
    digests(store, fixture).await;
    absences(store, fixture, &mut buffer).await;
}

async fn existence(store: &impl ReadOnly, key: Key<'_>) {
    assert_eq!(ok(store.exists(key).await, key), Some(Kind::Value), "{key} is a value");
    if let Some(modified) = ok(store.last_modified(key).await, key) {
        assert!(modified.nanos < 1_000_000_000, "{key}: nanoseconds above a second");
        assert_eq!(ok(store.last_modified(key).await, key), Some(modified), "{key}: reading does not modify");
    }
}

async fn whole(store: &impl ReadOnly, key: Key<'_>, value: &[u8], buffer: &mut [u8]) {
    assert_eq!(ok(store.size(key).await, key), value.len() as u64, "the size of {key}");
    let fits = value.len() <= buffer.len();
    match store.get(key, buffer).await {
        Ok(read) => assert!(read == value, "the value of {key}"),
        Err(error) => assert!(!fits && error.kind() == ErrorKind::BufferTooSmall, "{key}: {error}"),
    }
    if let Some(exact) = buffer.get_mut(..value.len()) {
        assert!(ok(store.get(key, exact).await, key) == value, "{key} into a buffer of its length");
    }
    if let Some(short) = value.len().checked_sub(1).and_then(|length| buffer.get_mut(..length)) {
        refused(store.get(key, short).await, ErrorKind::BufferTooSmall, key);
    }
}

async fn parts(store: &impl ReadOnly, key: Key<'_>, value: &[u8], buffer: &mut [u8]) {
    let end = value.len();
    for offset in [0, 1, end / 2, end.saturating_sub(1), end, end + 1, end + 100_000] {
        for length in [0, 1, 7, 4096, buffer.len()] {
            let rest = value.get(offset..).unwrap_or_default();
            let expected = &rest[..rest.len().min(length)];
            let read = ok(store.get_partial(key, offset as u64, &mut buffer[..length]).await, key);
            assert!(read == expected, "{length} bytes of {key} from {offset} on");
        }
    }
    for offset in [u64::MAX, 1 << 63, 1 << 32] {
        assert!(ok(store.get_partial(key, offset, buffer).await, key).is_empty(), "{key} ends before {offset}");
    }
}

async fn not_a_dictionary(store: &impl ReadOnly, key: Key<'_>) {
    let mut shown = false;
    let listed = store.list(key, |_| {
        shown = true;
        ControlFlow::Continue(())
    });
    refused(listed.await, ErrorKind::DictionaryExpected, key);
    assert!(!shown, "{key} is a value and has no entries");
}

async fn dictionary(store: &impl ReadOnly, key: Key<'_>, fixture: &[(&str, &[u8])]) {
    assert_eq!(ok(store.exists(key).await, key), Some(Kind::Dictionary), "{key} is a dictionary");
    let mut buffer = [0; 16];
    refused(store.get(key, &mut buffer).await, ErrorKind::ValueExpected, key);
    refused(store.get_partial(key, 0, &mut buffer).await, ErrorKind::ValueExpected, key);
    refused(store.size(key).await, ErrorKind::ValueExpected, key);
    refused(store.last_modified(key).await, ErrorKind::ValueExpected, key);
    refused(store.digest(key).await, ErrorKind::ValueExpected, key);

    let mut expected = smallest(fixture, key, None);
    let listed = store.list(key, |entry| {
        assert_eq!(Some(entry), expected, "the next entry of {key}");
        expected = smallest(fixture, key, expected.map(|entry| entry.name));
        ControlFlow::Continue(())
    });
    ok(listed.await, key);
    assert_eq!(expected, None, "{key} has one more entry");

    let mut shown = 0;
    let listed = store.list(key, |_| {
        shown += 1;
        ControlFlow::Break(())
    });
    ok(listed.await, key);
    assert!(shown <= 1, "listing {key} goes on after it was broken off");
}

async fn digests(store: &impl ReadOnly, fixture: &[(&str, &[u8])]) {
    for (path, value) in fixture {
        let digest = ok(store.digest(parse(path)).await, parse(path));
        for (other, other_value) in fixture {
            let same = digest == ok(store.digest(parse(other)).await, parse(other));
            assert_eq!(same, value == other_value, "the digests of {path} and {other}");
        }
    }
}

async fn absences(store: &impl ReadOnly, fixture: &[(&str, &[u8])], buffer: &mut [u8]) {
    /// No name of a sensible fixture, at the root, below a dictionary and far from anything.
    const ABSENT: [&str; 4] = ["/\u{1}no such value", "/\u{1}/no such value", "/\u{10ffff}", "/\u{1}/x/y/z"];
    for path in ABSENT {
        nothing(store, parse(path), buffer).await;
    }
    let mut text = [0; 256];
    for (path, _) in fixture {
        for suffix in ["/below", "\u{1}", "0"] {
            let Some(longer) = join(&mut text, path, suffix) else { continue };
            let key = parse(longer);
            if !fixture.iter().any(|(path, _)| parse(path).starts_with(key)) {
                nothing(store, key, buffer).await;
            }
        }
        let shorter = path.char_indices().next_back().map_or("", |(end, _)| &path[..end]);
        if let Ok(key) = Key::new(shorter)
            && !fixture.iter().any(|(path, _)| parse(path).starts_with(key))
        {
            nothing(store, key, buffer).await;
        }
    }
}

async fn nothing(store: &impl ReadOnly, key: Key<'_>, buffer: &mut [u8]) {
    assert_eq!(ok(store.exists(key).await, key), None, "there is no {key}");
    refused(store.get(key, buffer).await, ErrorKind::NotFound, key);
    refused(store.get_partial(key, 0, buffer).await, ErrorKind::NotFound, key);
    refused(store.size(key).await, ErrorKind::NotFound, key);
    refused(store.list(key, |_| ControlFlow::Continue(())).await, ErrorKind::NotFound, key);
    refused(store.last_modified(key).await, ErrorKind::NotFound, key);
    refused(store.digest(key).await, ErrorKind::NotFound, key);
}

/// The entry of `dictionary` with the smallest name above `last`.
fn smallest<'a>(fixture: &[(&'a str, &[u8])], dictionary: Key<'_>, last: Option<&str>) -> Option<Entry<'a>> {
    let mut smallest: Option<Entry<'a>> = None;
    for (path, _) in fixture {
        let Some(below) = parse(path).strip_prefix(dictionary) else { continue };
        let Some(name) = below.segments().next() else { continue };
        let kind = if below.as_str() == name { Kind::Value } else { Kind::Dictionary };
        let above = last.is_none_or(|last| name.as_bytes() > last.as_bytes());
        if above && smallest.is_none_or(|entry| name.as_bytes() < entry.name.as_bytes()) {
            smallest = Some(Entry { name, kind });
        }
    }
    smallest
}

fn join<'t>(text: &'t mut [u8], path: &str, suffix: &str) -> Option<&'t str> {
    let length = path.len() + suffix.len();
    let text = text.get_mut(..length)?;
    let (front, back) = text.split_at_mut(path.len());
    front.copy_from_slice(path.as_bytes());
    back.copy_from_slice(suffix.as_bytes());
    core::str::from_utf8(text).ok()
}

fn parse(path: &str) -> Key<'_> {
    Key::new(path).expect("every path of a fixture is a key")
}

fn ok<T, E: Error>(result: Result<T, E>, key: Key<'_>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{key}: {error}"),
    }
}

fn refused<T, E: Error>(result: Result<T, E>, expected: ErrorKind, key: Key<'_>) {
    match result {
        Ok(_) => panic!("{key} was answered where `{expected}` is right"),
        Err(error) => assert_eq!(error.kind(), expected, "{key}"),
    }
}
