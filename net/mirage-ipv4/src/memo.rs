//! The answer to the last question.

use core::cell::Cell;
use core::fmt;

/// Remembers the last answer, since most packets ask what the packet before them asked. Whoever changes what the
/// answers are made of makes it [`forget`](Self::forget).
pub(crate) struct Memo<Q, A>(Cell<Option<(Q, A)>>);

impl<Q: Copy + PartialEq, A: Copy> Memo<Q, A> {
    pub(crate) const fn new() -> Self {
        Self(Cell::new(None))
    }

    #[inline]
    pub(crate) fn recall(&self, question: Q) -> Option<A> {
        match self.0.get() {
            Some((asked, answer)) if asked == question => Some(answer),
            _ => None,
        }
    }

    pub(crate) fn keep(&self, question: Q, answer: A) -> A {
        self.0.set(Some((question, answer)));
        answer
    }

    pub(crate) fn forget(&self) {
        self.0.set(None);
    }
}

impl<Q: Copy + fmt::Debug, A: Copy + fmt::Debug> fmt::Debug for Memo<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get().fmt(f)
    }
}
