//! What `--help` and `--version` print.

use super::{Argument, Kind};
use crate::About;
use crate::text::Line;

/// Shows, line by line, what the image is and every argument of it.
pub fn help(about: &About, declared: &[&[Argument]], show: &mut dyn FnMut(&str)) {
    show(Line::new().put_all(&[about.name, " ", about.version, ": ", about.summary]).as_str());
    show("");
    show("Arguments:");
    for group in declared {
        for argument in *group {
            show(describe(argument).as_str());
        }
    }
    show("  --help                       print this and exit with code 63");
    show("  --version                    print the version and exit with code 63");
}

fn describe(argument: &Argument) -> Line {
    let (equals, word, more) = match argument.kind {
        Kind::Flag => ("", "", ""),
        Kind::Value(word) => ("=", word, ""),
        Kind::List(word) => ("=", word, " ..."),
    };
    let mut line = Line::new();
    line.put_all(&["  --", argument.name, equals, word, more, " "]).pad(WIDTH).put(argument.help);
    if let Some(default) = argument.default {
        line.put_all(&[" [default: ", default, "]"]);
    }
    line
}

/// Shows the image's name and version.
pub fn version(about: &About, show: &mut dyn FnMut(&str)) {
    show(Line::new().put_all(&[about.name, " ", about.version]).as_str());
}

/// Columns of an argument and what is before it.
const WIDTH: usize = 31;
