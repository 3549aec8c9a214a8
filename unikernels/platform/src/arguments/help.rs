//! What `--help` prints.

use alloc::string::String;

use super::{Argument, Kind};
use crate::About;

/// The page: what the image is, and a line for each argument.
pub(super) fn page(about: &About, declared: &[&[Argument]]) -> String {
    let mut page = title(about);
    put(&mut page, &[": ", about.summary, "\n\nArguments:"]);
    for argument in declared.iter().copied().flatten() {
        let [equals, word, more] = match argument.kind {
            Kind::Flag => ["", "", ""],
            Kind::Value(word) => ["=", word, ""],
            Kind::List(word) => ["=", word, " ..."],
        };
        line(&mut page, &[argument.name, equals, word, more], argument.help);
        if let Some(default) = argument.default {
            put(&mut page, &[" [default: ", default, "]"]);
        }
    }
    line(&mut page, &["help"], "print this and exit with code 63");
    line(&mut page, &["version"], "print the version and exit with code 63");
    page
}

/// Name and version.
pub(super) fn title(about: &About) -> String {
    let mut title = String::new();
    put(&mut title, &[about.name, " ", about.version]);
    title
}

fn line(page: &mut String, spelling: &[&str], help: &str) {
    put(page, &["\n  --"]);
    let width = page.len() + WIDTH;
    put(page, spelling);
    while page.len() < width {
        page.push(' ');
    }
    put(page, &[" ", help]);
}

fn put(page: &mut String, parts: &[&str]) {
    for part in parts {
        page.push_str(part);
    }
}

/// Columns of an argument after its dashes.
const WIDTH: usize = 26;
