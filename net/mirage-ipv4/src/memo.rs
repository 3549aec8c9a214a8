//! The answer to the last question.

use core::cell::Cell;
use core::fmt;

/// Remembers the last answer, since most packets ask what the packet before them asked. Whoever changes what the
/// answers are made of makes it [`forget`](Self::forget).
pub(crate) struct Memo<Q, A> {
    asked: Cell<Q>,
    /// Whether `answer` is the one to `asked`.
    known: Cell<bool>,
    answer: Cell<A>,
}

impl<Q: Copy + PartialEq, A: Copy> Memo<Q, A> {
    /// It knows nothing yet, whatever the question and the answer.
    pub(crate) const fn new(asked: Q, answer: A) -> Self {
        Self { asked: Cell::new(asked), known: Cell::new(false), answer: Cell::new(answer) }
    }

    /// Whether this was the last question, and the [`answer`](Self::answer) still holds.
    #[inline]
    pub(crate) fn knows(&self, question: Q) -> bool {
        self.asked.get() == question && self.known.get()
    }

    /// The last answer.
    #[inline]
    pub(crate) fn answer(&self) -> A {
        self.answer.get()
    }

    pub(crate) fn keep(&self, question: Q, answer: A) {
        self.asked.set(question);
        self.answer.set(answer);
        self.known.set(true);
    }

    pub(crate) fn forget(&self) {
        self.known.set(false);
    }
}

impl<Q, A: Copy + fmt::Debug> fmt::Debug for Memo<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.known.get().then(|| self.answer.get()).fmt(f)
    }
}
