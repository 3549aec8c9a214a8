//! Boot arguments, the same on every target: cut from one line where the machine gives a line, then read by what the
//! application declares.
//!
//! ```
//! use mirage_platform::{Argument, Arguments};
//!
//! const PORT: Argument = Argument::value("port", "PORT", "where to listen").or("80");
//!
//! // What a hypervisor gives: one line. On Unix `argv` is taken as it is.
//! let tokens = mirage_platform::arguments::split(r#"--port=8080"#)?;
//! let arguments = Arguments::parse(&[&[PORT]], tokens).expect("all of it is declared");
//! assert_eq!(arguments.get::<u16>(&PORT).expect("a number"), Some(8080));
//! # Ok::<(), mirage_platform::arguments::SplitError>(())
//! ```

mod argument;
mod help;
mod parsed;
mod stop;
mod tokens;

pub use argument::{Argument, Kind};
pub use help::{help, version};
pub use parsed::Arguments;
pub use stop::{BadArgument, Stop};
#[cfg(all(feature = "image", not(feature = "unix")))]
pub(crate) use tokens::cut;
pub use tokens::{SplitError, split};
