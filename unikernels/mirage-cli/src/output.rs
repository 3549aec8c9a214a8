//! Telling people: nothing here fails when nobody listens any more.

use std::io::Write;

/// A line on standard output: what was asked for.
pub(crate) fn answer(line: impl std::fmt::Display) {
    let _ = writeln!(anstream::stdout(), "{line}");
}

/// A line on standard error: what one should know.
pub(crate) fn note(line: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "mirage: {line}");
}
