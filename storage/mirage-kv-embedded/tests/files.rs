//! The table passes the exam of its interface.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_kv::testing::{FIXTURE, examine};
use mirage_kv::{Digest, ErrorKind, Key, Modified};
use mirage_kv_embedded::{File, Files};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("files in the image never wait"),
    }
}

const MODIFIED: Modified = Modified { seconds: 1_000_000_000, nanos: 0 };

/// The fixture as a table, sorted by segments; the digests are the index of the first equal value.
fn table() -> Vec<File> {
    let mut files: Vec<_> = FIXTURE
        .iter()
        .map(|(path, bytes)| {
            let first = FIXTURE.iter().position(|(_, other)| other == bytes).unwrap();
            File { path: &path[1..], bytes, modified: Some(MODIFIED), digest: Digest([first as u8; 32]) }
        })
        .collect();
    files.sort_by(|left, right| left.path.split('/').cmp(right.path.split('/')));
    files
}

#[test]
fn files_pass_the_exam() {
    block_on(examine(&Files::new(table().leak()), FIXTURE));
}

#[test]
fn no_files_pass_the_exam() {
    block_on(examine(&Files::new(&[]), &[]));
}

#[test]
fn a_files_bytes_are_used_without_a_copy() {
    let files = Files::new(table().leak());
    let file = files.file(Key::new("/deep-sea").unwrap()).unwrap();
    assert_eq!(file.bytes, b"not in /deep");
    assert_eq!(files.file(Key::new("/deep").unwrap()).unwrap_err(), ErrorKind::ValueExpected);
    assert_eq!(files.file(Key::ROOT).unwrap_err(), ErrorKind::ValueExpected);
    assert_eq!(files.as_slice().len(), FIXTURE.len());
}

fn file(path: &'static str) -> File {
    File { path, bytes: b"", modified: None, digest: Digest([0; 32]) }
}

#[test]
#[should_panic(expected = "not sorted")]
fn an_unsorted_table_is_refused() {
    Files::new(vec![file("b"), file("a")].leak());
}

#[test]
#[should_panic(expected = "not sorted")]
fn a_file_twice_is_refused() {
    Files::new(vec![file("a"), file("a")].leak());
}

#[test]
#[should_panic(expected = "lies below another")]
fn a_file_below_a_file_is_refused() {
    Files::new(vec![file("a"), file("a/b")].leak());
}

#[test]
fn a_path_that_is_no_key_is_refused() {
    for path in ["", "/a", "a/", "a//b", ".", "a/..", "a\0"] {
        assert!(std::panic::catch_unwind(|| Files::new(vec![file(path)].leak())).is_err(), "{path:?}");
    }
}
