//! Command lines, and arguments as they are declared.

#![allow(clippy::std_instead_of_core, reason = "std is there")]

use mirage_platform::arguments::{SplitError, Stop, help, split, version};
use mirage_platform::{About, Argument, Arguments, Exit};
use proptest::prelude::*;

const PORT: Argument = Argument::value("port", "PORT", "where to listen").or("80");
const NAME: Argument = Argument::value("name", "NAME", "whom to greet");
const LOUD: Argument = Argument::flag("loud", "shout");
const FORWARD: Argument = Argument::list("forward", "MAP", "what to forward").or("1");
const DECLARED: &[&[Argument]] = &[&[PORT, NAME], &[LOUD, FORWARD]];
const ABOUT: About = About { name: "test", version: "1.2.3", summary: "tests arguments" };

fn read(line: &str) -> Result<Arguments, Stop> {
    Arguments::parse(DECLARED, split(line).expect("a whole line"))
}

fn refused(line: &str) -> String {
    let stop = read(line).expect_err("makes no sense");
    assert_eq!(stop.exit(), Exit::BAD_ARGUMENT);
    let Stop::Bad(bad) = stop else { panic!("{stop:?}") };
    bad.to_string()
}

#[test]
fn lines_are_cut_as_the_table_says() {
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        ("   ", &[]),
        ("a", &["a"]),
        ("  a   b ", &["a", "b"]),
        (r"a\ b", &["a b"]),
        (r"\\", &[r"\"]),
        (r#"\""#, &["\""]),
        (r#""a b" c"#, &["a b", "c"]),
        (r#"--hello="a b"c"#, &["--hello=a bc"]),
        (r#""""#, &[""]),
        (r#"a "" b"#, &["a", "", "b"]),
        (r#"a"""#, &["a"]),
        (r#""a\"b""#, &["a\"b"]),
        ("a\tb", &["a\tb"]),
        ("'a b'", &["'a", "b'"]),
        ("é \u{1f980}", &["é", "\u{1f980}"]),
    ];
    for (line, tokens) in table {
        assert_eq!(split(line).expect(line), *tokens, "{line}");
    }
}

#[test]
fn a_line_that_ends_too_early_is_refused() {
    for line in ["\"", "a \"b", "\"a\\\"", r#"a"b c""d"#] {
        assert_eq!(split(line), Err(SplitError::DanglingQuote), "{line}");
    }
    for line in ["\\", "a \\", "\"a\\"] {
        assert_eq!(split(line), Err(SplitError::DanglingEscape), "{line}");
    }
}

#[test]
fn both_spellings_of_a_value_are_the_same() {
    for line in ["--port=8080", "--port 8080"] {
        assert_eq!(read(line).expect(line).get::<u16>(&PORT).expect("a number"), Some(8080));
    }
}

#[test]
fn a_default_stands_in_and_no_default_is_nothing() {
    let arguments = read("").expect("nothing");
    assert_eq!(arguments.get::<u16>(&PORT).expect("a number"), Some(80));
    assert_eq!(arguments.get::<String>(&NAME).expect("text"), None);
    assert_eq!(arguments.require::<String>(&NAME).expect_err("not given").to_string(), "--name: must be given");
    assert_eq!(arguments.all::<u8>(&FORWARD).expect("numbers"), [1]);
    assert!(!arguments.flag(&LOUD));
}

#[test]
fn a_list_is_given_often_and_keeps_its_order() {
    let arguments = read("--forward=3 --loud --forward 2 --forward=2").expect("fine");
    assert_eq!(arguments.all::<u8>(&FORWARD).expect("numbers"), [3, 2, 2]);
    assert!(arguments.flag(&LOUD));
}

#[test]
fn values_may_be_empty_and_may_hold_anything() {
    assert_eq!(read("--name=").expect("fine").text(&NAME), Some(""));
    assert_eq!(read(r#"--name """#).expect("fine").text(&NAME), Some(""));
    assert_eq!(read("--name=--a=b").expect("fine").text(&NAME), Some("--a=b"));
    assert_eq!(read("--name -5").expect("fine").text(&NAME), Some("-5"));
}

#[test]
fn what_makes_no_sense_is_told_in_one_line() {
    assert_eq!(refused("--prot=1"), "--prot=1: unknown argument; `--help` lists those that are known");
    assert_eq!(refused("x"), "x: every argument begins with `--`; `--help` lists them");
    assert_eq!(refused("--name"), "--name: needs a value, `--name=NAME`");
    assert_eq!(refused("--name --loud"), "--name: needs a value, `--name=NAME`");
    assert_eq!(refused("--loud=yes"), "--loud=yes: takes no value");
    assert_eq!(refused("--port=1 --port=2"), "--port=2: given twice");
    assert_eq!(refused("--a\nb"), "--a b: unknown argument; `--help` lists those that are known");
    let arguments = read("--port=x").expect("declared");
    let bad = arguments.get::<u16>(&PORT).expect_err("no number");
    assert_eq!(bad.to_string(), "--port=x: invalid digit found in string");
}

#[test]
fn a_number_is_digits_and_fits() {
    let number = |text: &str| read(text).expect("declared").number(&PORT).map_err(|bad| bad.to_string());
    assert_eq!((number(""), number("--port=0"), number("--port=0443")), (Ok(80), Ok(0), Ok(443)));
    assert_eq!(number(&format!("--port={}", usize::MAX)), Ok(usize::MAX));
    for text in ["", "x", "-1", "+1", "1 ", "1.5", "18446744073709551616"] {
        assert_eq!(number(&format!("\"--port={text}\"")), Err(format!("--port={text}: expected a number")));
    }
    let name = read("").expect("declared").number(&NAME).expect_err("no default");
    assert_eq!(name.to_string(), "--name: must be given");
}

#[test]
fn help_lists_everything_and_ends_with_63() {
    let stop = read("--help --prot").expect_err("asked for help");
    assert_eq!(stop.exit(), Exit::HELP);
    assert_eq!(stop, Stop::Help);
    let mut page = String::new();
    help(&ABOUT, DECLARED, &mut |line| page.push_str(&format!("{line}\n")));
    for part in
        ["test 1.2.3: tests arguments", "--port=PORT", "[default: 80]", "--forward=MAP ...", "--loud", "--version"]
    {
        assert!(page.contains(part), "{page}");
    }
    assert_eq!(read("--version").expect_err("asked for it"), Stop::Version);
    version(&ABOUT, &mut |line| assert_eq!(line, "test 1.2.3"));
}

proptest! {
    #[test]
    fn whatever_is_quoted_comes_back(tokens in prop::collection::vec("[ -~é\\\\\"]{0,12}", 0..8)) {
        let quote = |token: &String| format!("\"{}\"", token.replace('\\', "\\\\").replace('"', "\\\""));
        let line = tokens.iter().map(quote).collect::<Vec<_>>().join(" ");
        prop_assert_eq!(split(&line), Ok(tokens));
    }

    #[test]
    fn no_line_panics_and_no_token_is_longer_than_its_line(line in ".{0,60}") {
        if let Ok(tokens) = split(&line) {
            prop_assert!(tokens.iter().map(String::len).sum::<usize>() <= line.len());
            let _ = Arguments::parse(DECLARED, tokens);
        }
    }
}
