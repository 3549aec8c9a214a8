//! The fake passes the exam, and stores that lie do not.

use core::cell::Cell;
use core::future::Future;
use core::ops::ControlFlow;
use core::panic::AssertUnwindSafe;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::panic::catch_unwind;

use mirage_kv::testing::{FIXTURE, Fixed, examine};
use mirage_kv::{Digest, Entry, ErrorKind, ErrorType, Key, Kind, Modified, ReadOnly};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a store in memory never waits"),
    }
}

#[test]
fn the_fixed_store_passes_the_exam() {
    block_on(examine(&Fixed::new(FIXTURE), FIXTURE));
}

#[test]
fn a_reversed_slice_is_the_same_store() {
    let reversed: Vec<_> = FIXTURE.iter().rev().copied().collect();
    let modified = Modified { seconds: -1, nanos: 5 };
    block_on(examine(&Fixed::new(&reversed).modified(modified), FIXTURE));
}

#[test]
fn an_empty_store_passes_the_exam() {
    block_on(examine(&Fixed::new(&[]), &[]));
}

#[test]
#[should_panic(expected = "is below or equal to")]
fn a_value_below_a_value_is_no_store() {
    Fixed::new(&[("/a", b""), ("/a/b", b"")]);
}

/// One way to answer wrongly.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    ExistsBelowValues,
    GetIgnoresTheBuffer,
    PartialErrsPastTheEnd,
    PartialReadsFromTheStart,
    SizeOfDictionaries,
    ListUnsorted,
    ListAbsolute,
    ListDoesNotBreak,
    ListNotFoundBelowValues,
    OneDigest,
    FreshDigests,
    ModifiedNow,
    PrefixesByBytes,
}

struct Liar {
    truth: Fixed<'static>,
    lie: Lie,
    calls: Cell<u32>,
}

impl ErrorType for Liar {
    type Error = ErrorKind;
}

impl ReadOnly for Liar {
    async fn exists(&self, key: Key<'_>) -> Result<Option<Kind>, ErrorKind> {
        let parent = key.parent().unwrap_or(Key::ROOT);
        match self.lie {
            Lie::ExistsBelowValues if self.truth.exists(parent).await? == Some(Kind::Value) => {
                Err(ErrorKind::DictionaryExpected)
            }
            Lie::PrefixesByBytes if FIXTURE.iter().any(|(path, _)| path[1..].starts_with(key.as_str())) => {
                Ok(self.truth.exists(key).await?.or(Some(Kind::Dictionary)))
            }
            _ => self.truth.exists(key).await,
        }
    }
    async fn get<'b>(&self, key: Key<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], ErrorKind> {
        if self.lie == Lie::GetIgnoresTheBuffer {
            self.truth.get_partial(key, 0, buffer).await
        } else {
            self.truth.get(key, buffer).await
        }
    }
    async fn get_partial<'b>(&self, key: Key<'_>, offset: u64, buffer: &'b mut [u8]) -> Result<&'b [u8], ErrorKind> {
        match self.lie {
            Lie::PartialErrsPastTheEnd if offset > self.truth.size(key).await? => Err(ErrorKind::Other),
            Lie::PartialReadsFromTheStart => self.truth.get_partial(key, 0, buffer).await,
            _ => self.truth.get_partial(key, offset, buffer).await,
        }
    }
    async fn size(&self, key: Key<'_>) -> Result<u64, ErrorKind> {
        match self.truth.size(key).await {
            Err(ErrorKind::ValueExpected) if self.lie == Lie::SizeOfDictionaries => Ok(0),
            other => other,
        }
    }
    async fn list(&self, key: Key<'_>, mut visit: impl FnMut(Entry<'_>) -> ControlFlow<()>) -> Result<(), ErrorKind> {
        if self.lie == Lie::ListNotFoundBelowValues && self.truth.exists(key).await? == Some(Kind::Value) {
            return Err(ErrorKind::NotFound);
        }
        let mut entries = Vec::new();
        self.truth
            .list(key, |entry| {
                entries.push((entry.name.to_owned(), entry.kind));
                ControlFlow::Continue(())
            })
            .await?;
        if self.lie == Lie::ListUnsorted {
            entries.reverse();
        }
        for (name, kind) in &entries {
            let absolute = format!("{}/{name}", key.as_str());
            let name = if self.lie == Lie::ListAbsolute { &absolute } else { name };
            if visit(Entry { name, kind: *kind }).is_break() && self.lie != Lie::ListDoesNotBreak {
                break;
            }
        }
        Ok(())
    }
    async fn last_modified(&self, key: Key<'_>) -> Result<Option<Modified>, ErrorKind> {
        self.calls.set(self.calls.get() + 1);
        let truth = self.truth.last_modified(key).await?;
        Ok(if self.lie == Lie::ModifiedNow {
            Some(Modified { seconds: i64::from(self.calls.get()), nanos: 0 })
        } else {
            truth
        })
    }
    async fn digest(&self, key: Key<'_>) -> Result<Digest, ErrorKind> {
        self.calls.set(self.calls.get() + 1);
        let mut digest = self.truth.digest(key).await?;
        match self.lie {
            Lie::OneDigest => digest.0 = [0; 32],
            Lie::FreshDigests => digest.0[..4].copy_from_slice(&self.calls.get().to_be_bytes()),
            _ => {}
        }
        Ok(digest)
    }
}

#[test]
fn every_liar_fails_the_exam() {
    let lies = [
        Lie::ExistsBelowValues,
        Lie::GetIgnoresTheBuffer,
        Lie::PartialErrsPastTheEnd,
        Lie::PartialReadsFromTheStart,
        Lie::SizeOfDictionaries,
        Lie::ListUnsorted,
        Lie::ListAbsolute,
        Lie::ListDoesNotBreak,
        Lie::ListNotFoundBelowValues,
        Lie::OneDigest,
        Lie::FreshDigests,
        Lie::ModifiedNow,
        Lie::PrefixesByBytes,
    ];
    let sit = |lie| {
        let liar = Liar { truth: Fixed::new(FIXTURE), lie, calls: Cell::new(0) };
        catch_unwind(AssertUnwindSafe(|| block_on(examine(&liar, FIXTURE)))).is_ok()
    };
    assert!(sit(Lie::None), "who tells the truth passes");
    for lie in lies {
        assert!(!sit(lie), "{lie:?} went unnoticed");
    }
}
