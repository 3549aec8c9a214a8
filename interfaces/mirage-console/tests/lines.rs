//! The console that keeps its lines; needs the feature `testing`.
#![cfg(feature = "testing")]

use core::convert::Infallible;

use mirage_console::testing::{Lines, examine};
use mirage_console::{Console, ErrorType, Write};

/// Everything a console kept, as it was written.
fn text(console: &Lines) -> Vec<u8> {
    let mut text = console.lines().join("\n").into_bytes();
    text.push(b'\n');
    text.extend(console.partial());
    text
}

#[test]
fn the_lines_pass_the_exam() {
    let mut console = Lines::new(100);
    examine(&mut console, |console| Some(text(console)));
    examine(&mut &mut Lines::new(1), |_| None);
}

#[test]
fn a_line_is_there_when_it_has_ended() {
    let mut console = Lines::new(10);
    console.write_all(b"half").unwrap();
    assert_eq!((console.lines(), console.partial()), (&[][..], &b"half"[..]));
    console.write_line(" and half").unwrap();
    assert_eq!(console.lines(), ["half and half"]);
    assert!(console.partial().is_empty());
}

#[test]
fn the_oldest_lines_make_room() {
    let mut console = Lines::new(2);
    for line in ["one", "two", "three"] {
        console.write_line(line).unwrap();
    }
    assert_eq!(console.lines(), ["two", "three"]);
    assert_eq!(console.forgotten(), 1);
    let mut none = Lines::new(0);
    none.write_line("gone").unwrap();
    assert!(none.lines().is_empty());
}

#[test]
fn bytes_that_are_not_text_do_no_harm() {
    let mut console = Lines::new(2);
    console.write_all(b"\xff\n").unwrap();
    assert_eq!(console.lines(), ["\u{fffd}"]);
}

#[test]
#[should_panic(expected = "the device shows")]
fn the_exam_finds_a_console_that_drops_what_it_says_it_wrote() {
    struct Forgetful(Vec<u8>);
    impl ErrorType for Forgetful {
        type Error = Infallible;
    }
    impl Write for Forgetful {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
            self.0.extend(&bytes[..bytes.len().min(4096)]);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }
    impl Console for Forgetful {}
    examine(&mut Forgetful(Vec::new()), |console| Some(console.0.clone()));
}
