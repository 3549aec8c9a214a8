//! What `--help` prints.

use alloc::format;
use alloc::string::String;

use super::{Argument, Kind};
use crate::About;

/// The page: what the image is, and a line for each argument.
pub(super) fn page(about: &About, declared: &[&[Argument]]) -> String {
    let mut page = format!("{} {}: {}\n\nArguments:\n", about.name, about.version, about.summary);
    for argument in declared.iter().copied().flatten() {
        let default = argument.default.map_or_else(String::new, |default| format!(" [default: {default}]"));
        line(&mut page, &spelling(argument), &format!("{}{default}", argument.help));
    }
    line(&mut page, "--help", "print this and exit with code 63");
    line(&mut page, "--version", "print the version and exit with code 63");
    page.pop();
    page
}

fn spelling(argument: &Argument) -> String {
    match argument.kind {
        Kind::Flag => format!("--{}", argument.name),
        Kind::Value(word) => format!("--{}={word}", argument.name),
        Kind::List(word) => format!("--{}={word} ...", argument.name),
    }
}

fn line(page: &mut String, spelling: &str, help: &str) {
    page.push_str(&format!("  {spelling:<28} {help}\n"));
}
