//! The image as a process: what it prints and how it ends.

use std::process::{Command, Output};

fn hello(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hello")).args(arguments).output().expect("it starts")
}

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).expect("text")
}

#[test]
fn it_greets_the_world() {
    let output = hello(&[]);
    assert_eq!((text(&output.stdout), text(&output.stderr), output.status.code()), ("Hello World!\n", "", Some(0)));
}

#[test]
fn it_greets_as_it_is_told_in_both_spellings() {
    for arguments in [&["--hello=Good  morning"][..], &["--hello", "Good  morning"]] {
        assert_eq!(text(&hello(arguments).stdout), "Good  morning\n");
    }
}

#[test]
fn help_and_version_end_with_63() {
    let output = hello(&["--help"]);
    assert_eq!(output.status.code(), Some(63));
    assert!(text(&output.stdout).contains("--hello=TEXT"), "{}", text(&output.stdout));
    let output = hello(&["--version"]);
    assert_eq!((text(&output.stdout), output.status.code()), ("hello 0.1.0\n", Some(63)));
}

#[test]
fn a_bad_argument_ends_with_64_and_one_line() {
    let output = hello(&["--helo=x"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(64), ""));
    assert_eq!(text(&output.stderr).lines().count(), 1);
    assert!(text(&output.stderr).starts_with("hello: --helo=x: unknown argument"), "{}", text(&output.stderr));
    assert_eq!(hello(&["--logs=loud"]).status.code(), Some(64));
}
