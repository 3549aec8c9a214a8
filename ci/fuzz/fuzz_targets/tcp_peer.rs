//! One TCP machine and a peer that says what it likes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| mirage_tcp::testing::face(bytes));
