//! Two TCP machines over a hostile link, driven by operations.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|operations: &[u8]| mirage_tcp::testing::drive(operations));
