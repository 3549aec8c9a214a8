//! What `--help` and `--version` print.

use super::{Argument, Kind};
use crate::About;
use crate::text::Line;

/// Shows, line by line, what the image is and every argument of it.
pub fn help(about: &About, declared: &[&[Argument]], show: &mut dyn FnMut(&str)) {
    show(Line::new().put_all(&[about.name, " ", about.version, ": ", about.summary]).as_str());
    show("");
    show("Arguments:");
    for argument in declared.iter().copied().flatten().chain(&EVERYWHERE) {
        let (equals, word, more) = match argument.kind {
            Kind::Flag => ("", "", ""),
            Kind::Value(word) => ("=", word, ""),
            Kind::List(word) => ("=", word, " ..."),
        };
        let mut line = Line::new();
        line.put_all(&["  --", argument.name, equals, word, more, " "]);
        while line.as_str().len() < WIDTH {
            line.put(" ");
        }
        line.put(argument.help);
        if let Some(default) = argument.default {
            line.put_all(&[" [default: ", default, "]"]);
        }
        show(line.as_str());
    }
}

/// Shows the image's name and version.
pub fn version(about: &About, show: &mut dyn FnMut(&str)) {
    show(Line::new().put_all(&[about.name, " ", about.version]).as_str());
}

/// Arguments that every image has.
static EVERYWHERE: [Argument; 2] = [
    Argument::flag("help", "print this and exit with code 63"),
    Argument::flag("version", "print the version and exit with code 63"),
];

/// Columns of an argument and what is before it.
const WIDTH: usize = 31;
