//! What a `fill` closure cannot do: skip bytes, end the frame, or keep anything of the buffer.

#[test]
fn a_frame_is_what_was_written_and_the_buffer_stays_the_devices() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
