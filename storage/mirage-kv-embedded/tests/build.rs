//! From a directory to a store and back.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::{env, fs, path::PathBuf};

use mirage_kv::testing::examine;
use mirage_kv_embedded::build::{Action, Times, embed, embed_with};
use mirage_kv_embedded::{Files, Modified};
use sha2::{Digest as _, Sha256};

/// What `embed` wrote for `tests/site`, as a build script's user includes it.
static SITE: Files = include!("generated/site.rs");

fn scratch(name: &str) -> PathBuf {
    let directory = env::temp_dir().join(format!("mirage-kv-embedded-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[test]
fn the_committed_table_is_what_embed_writes() {
    let out = scratch("same").join("site.rs");
    embed(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site"), &out).unwrap();
    let written = fs::read_to_string(&out).unwrap();
    assert!(written == include_str!("generated/site.rs"), "tests/generated/site.rs should be\n{written}");
}

#[test]
fn embedded_files_are_the_files() {
    let fixture: &[(&str, &[u8])] = &[
        ("/blob.bin", include_bytes!("site/blob.bin")),
        ("/docs-style.css", include_bytes!("site/docs-style.css")),
        ("/docs/empty", b""),
        ("/docs/index.html", include_bytes!("site/docs/index.html")),
        ("/index.html", include_bytes!("site/index.html")),
    ];
    match pin!(examine(&SITE, fixture)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(()) => {}
        Poll::Pending => panic!("files in the image never wait"),
    }
    for file in SITE.as_slice() {
        assert_eq!(file.digest.0[..], Sha256::digest(file.bytes)[..], "{}", file.path);
        assert_eq!(file.modified, None, "{}", file.path);
    }
}

#[test]
fn times_are_there_when_asked_for() {
    let directory = scratch("times");
    fs::create_dir(directory.join("in")).unwrap();
    fs::write(directory.join("in/file"), "x").unwrap();
    let out = directory.join("out.rs");
    embed_with(directory.join("in"), &out, Times::Fixed(Modified { seconds: -5, nanos: 7 })).unwrap();
    assert!(fs::read_to_string(&out).unwrap().contains("seconds: -5, nanos: 7"));
    embed_with(directory.join("in"), &out, Times::Disk).unwrap();
    assert!(fs::read_to_string(&out).unwrap().contains("Some("));
}

#[test]
fn a_directory_that_is_not_there_is_named_in_the_error() {
    let error = embed("no/such/directory", scratch("absent").join("out.rs")).unwrap_err();
    assert_eq!(error.action, Action::Read);
    assert!(error.to_string().contains("`no/such/directory`"), "{error}");
}

#[test]
fn an_output_that_cannot_be_written_is_named_in_the_error() {
    let error = embed(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site"), "/no/such/out.rs").unwrap_err();
    assert_eq!(error.action, Action::Write);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_back_ends() {
    let directory = scratch("loop");
    std::os::unix::fs::symlink(&directory, directory.join("again")).unwrap();
    let error = embed(&directory, directory.join("out.rs")).unwrap_err();
    assert!(matches!(error.action, Action::Descend | Action::Read), "{error}");
}
