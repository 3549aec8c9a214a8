//! Boot arguments, the same on every target: cut from one line where the machine gives a line, then read by what the
//! application declares.
//!
//! ```
//! use mirage_platform::{About, Argument, Arguments};
//!
//! const PORT: Argument = Argument::value("port", "PORT", "where to listen").or("80");
//! const ABOUT: About = About { name: "web", version: "0.1.0", summary: "serves a page" };
//!
//! // What a hypervisor gives: one line. On Unix `argv` is taken as it is.
//! let tokens = mirage_platform::arguments::split(r#"--port=8080"#)?;
//! let arguments = Arguments::parse(&ABOUT, &[&[PORT]], tokens).expect("all of it is declared");
//! assert_eq!(arguments.get::<u16>(&PORT).expect("a number"), Some(8080));
//! # Ok::<(), mirage_platform::arguments::SplitError>(())
//! ```

mod argument;
mod help;
mod parsed;
mod stop;
mod tokens;

pub use argument::{Argument, Kind};
pub use parsed::Arguments;
pub use stop::{BadArgument, Stop};
pub use tokens::{SplitError, split};
