//! What a key is and is not.

use mirage_kv::{Key, KeyError};

#[test]
fn equal_paths_are_equal_bytes() {
    for path in ["a/b", "/a/b", "a/b/", "/a/b/"] {
        assert_eq!(Key::new(path).unwrap().as_str(), "a/b");
    }
    for path in ["", "/", "//"] {
        assert!(Key::new(path).unwrap().is_root(), "{path:?}");
    }
}

#[test]
fn no_key_leads_out_of_its_store() {
    for path in ["..", "/..", "a/../b", "./a", "a/.", "/a/.."] {
        assert_eq!(Key::new(path), Err(KeyError::DotSegment), "{path:?}");
    }
    assert_eq!(Key::new("a//b"), Err(KeyError::EmptySegment));
    assert_eq!(Key::new("a\0"), Err(KeyError::Nul));
    assert!(Key::new("...").is_ok(), "three dots are a name");
}

#[test]
fn a_parent_and_a_name_make_the_key() {
    let key = Key::new("/a/b/c").unwrap();
    assert_eq!(key.parent(), Key::new("/a/b").ok());
    assert_eq!(key.name(), Some("c"));
    assert_eq!((Key::ROOT.parent(), Key::ROOT.name()), (None, None));
    assert_eq!(key.to_string(), "/a/b/c");
}

#[test]
fn below_is_by_segments() {
    let key = |path| Key::new(path).unwrap();
    assert_eq!(key("/a/b").strip_prefix(key("/a")), Some(key("/b")));
    assert_eq!(key("/ab").strip_prefix(key("/a")), None);
    assert_eq!(key("/a").strip_prefix(key("/a")), Some(Key::ROOT));
    assert!(key("/a").starts_with(Key::ROOT));
}
