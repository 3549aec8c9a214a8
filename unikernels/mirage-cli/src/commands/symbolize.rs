//! `mirage symbolize`: functions, files and lines for the addresses of a panic.

use std::io::BufRead;
use std::path::Path;

use addr2line::Loader;

use super::build::debug;
use super::describe;
use crate::arguments;
use crate::failure::{Failure, Result};
use crate::output::answer;

/// Explains the addresses that were given, or those in the text on standard input.
pub(crate) fn run(arguments: &arguments::Symbolize) -> Result<()> {
    let image = describe::find(Some(&arguments.image), arguments.target)?;
    let symbols = Some(debug(&image)).filter(|path| path.exists()).unwrap_or(image);
    let loader = Loader::new(&symbols).map_err(|reason| Failure::new(format!("{}: {reason}", symbols.display())))?;
    let mut known = false;
    for text in &arguments.addresses {
        let address = address(text);
        let address =
            address.ok_or_else(|| Failure::usage(format!("{text} is no address; expected 0x101a3c or the like")))?;
        known |= explain(&loader, address, &symbols)?;
    }
    if !arguments.addresses.is_empty() {
        return match known {
            true => Ok(()),
            false => Err(Failure::new(format!("{} knows none of these addresses", symbols.display()))),
        };
    }
    for line in std::io::stdin().lock().split(b'\n') {
        let Ok(line) = line else { break };
        let line = String::from_utf8_lossy(&line);
        answer(&line);
        for address in addresses(&line) {
            explain(&loader, address, &symbols)?;
        }
    }
    Ok(())
}

/// Prints the functions at `address`, the innermost first: all but the last are inlined. Whether there is one.
fn explain(loader: &Loader, address: u64, symbols: &Path) -> Result<bool> {
    let wrong = |reason: Box<dyn std::error::Error>| Failure::new(format!("{}: {reason}", symbols.display()));
    let mut frames = loader.find_frames(address).map_err(wrong)?;
    let mut known = false;
    loop {
        let frame = frames.next().map_err(|reason| wrong(reason.into()))?;
        let Some(frame) = frame else { break };
        let name = frame.function.as_ref().and_then(|function| Some(function.demangle().ok()?.into_owned()));
        let name = name.as_deref().map(short).or_else(|| symbol(loader, address)).unwrap_or_else(|| "?".to_owned());
        let place = frame.location.as_ref().map_or(String::new(), place);
        let from = if known { "inlined in" } else { "" };
        answer(format_args!("  {address:#x} {from:>10} {name}{place}"));
        known = true;
    }
    if !known && let Some(name) = symbol(loader, address) {
        answer(format_args!("  {address:#x} {:>10} {name}", ""));
        known = true;
    }
    Ok(known)
}

/// The name of the symbol that `address` belongs to.
fn symbol(loader: &Loader, address: u64) -> Option<String> {
    loader.find_symbol(address).map(|symbol| short(&addr2line::demangle_auto(symbol.into(), None)))
}

/// `name` without the types that it was compiled for, which fill lines: `start<Web, …>` is `start`.
fn short(name: &str) -> String {
    let (mut short, mut depth, mut before) = (String::new(), 0_usize, ' ');
    for char in name.chars() {
        // A type in front, as in `<Web as App>::new`, is part of the name.
        let opens = char == '<' && (depth > 0 || before.is_alphanumeric() || matches!(before, '_' | ':' | '}'));
        depth += usize::from(opens);
        if depth == 0 {
            short.push(char);
        }
        depth -= usize::from(depth > 0 && char == '>' && before != '-');
        before = char;
    }
    short.replace("::::", "::")
}

fn place(location: &addr2line::Location<'_>) -> String {
    match (location.file, location.line) {
        (Some(file), Some(line)) => format!(" at {file}:{line}"),
        (Some(file), None) => format!(" at {file}"),
        _ => String::new(),
    }
}

/// The addresses in a line of text: words that begin with `0x`.
fn addresses(line: &str) -> impl Iterator<Item = u64> {
    line.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| word.starts_with("0x")).filter_map(address)
}

/// Reads a hexadecimal number, with or without `0x`.
fn address(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_the_lines_of_a_panic() {
        let found = |line| addresses(line).collect::<Vec<_>>();
        assert_eq!(found("  at 0x101a3c, 0x100190"), [0x10_1a3c, 0x10_0190]);
        assert_eq!(found("panicked at src/main.rs:10: 0xq, 10, 0x, cafe"), [] as [u64; 0]);
        assert_eq!(found("0xffffffffffffffffff"), [] as [u64; 0]);
        assert_eq!(address("101a3c"), Some(0x10_1a3c));
    }

    #[test]
    fn names_are_told_without_the_types_they_were_compiled_for() {
        assert_eq!(short("block_on<start<Web, fn(u8) -> u8>, ()>"), "block_on");
        assert_eq!(short("<alloc::vec::Vec<u8> as Write>::write"), "<alloc::vec::Vec as Write>::write");
        assert_eq!(short("boot::start::{closure_env#0}<hello::Hello>"), "boot::start::{closure_env#0}");
        assert_eq!(short("a::b::<T>::c"), "a::b::c");
        assert_eq!(short("f<T"), "f");
    }
}
