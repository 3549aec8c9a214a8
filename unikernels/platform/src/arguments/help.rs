//! What `--help` and `--version` print.

use super::{Argument, Kind};
use crate::About;
use crate::text::Line;

/// Shows, line by line, what the image is and every argument of it.
pub fn help(about: &About, declared: &[&[Argument]], show: &mut dyn FnMut(&str)) {
    show(Line::new().put(about.name).put(" ").put(about.version).put(": ").put(about.summary).as_str());
    show("");
    show("Arguments:");
    for argument in declared.iter().copied().flatten().chain(&EVERYWHERE) {
        let mut line = Line::new();
        line.put("  --").put(argument.name);
        match argument.kind {
            Kind::Flag => {}
            Kind::Value(word) => {
                line.put("=").put(word);
            }
            Kind::List(word) => {
                line.put("=").put(word).put(" ...");
            }
        }
        line.put(" ");
        while line.as_str().len() < WIDTH {
            line.put(" ");
        }
        line.put(argument.help);
        if let Some(default) = argument.default {
            line.put(" [default: ").put(default).put("]");
        }
        show(line.as_str());
    }
}

/// Shows the image's name and version.
pub fn version(about: &About, show: &mut dyn FnMut(&str)) {
    show(Line::new().put(about.name).put(" ").put(about.version).as_str());
}

/// Arguments that every image has.
static EVERYWHERE: [Argument; 2] = [
    Argument::flag("help", "print this and exit with code 63"),
    Argument::flag("version", "print the version and exit with code 63"),
];

/// Columns of an argument and what is before it.
const WIDTH: usize = 31;
