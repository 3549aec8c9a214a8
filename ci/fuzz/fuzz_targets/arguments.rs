//! Boot arguments: the command line of every target.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_platform::arguments::split;
use mirage_platform::{Argument, Arguments};

const DECLARED: &[Argument] = &[Argument::value("ipv4", "A", "a").or("x"), Argument::list("forward", "F", "f")];

fuzz_target!(|line: &str| {
    if let Ok(tokens) = split(line) {
        let _parsed = Arguments::parse(&[DECLARED], tokens);
    }
});
