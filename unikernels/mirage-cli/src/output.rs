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

/// A line of another program's, on standard error.
pub(crate) fn pass_on(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// How this tool was called, for advice that can be pasted.
pub(crate) fn invocation() -> &'static str {
    match std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == env!("CARGO_PKG_NAME")) {
        true => "cargo mirage",
        false => "mirage",
    }
}
