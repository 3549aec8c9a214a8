//! How a unikernel ends.

/// The exit code of a unikernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// It did what it was for, or was asked to stop.
    pub const SUCCESS: Self = Self(0);
    /// It could not start or go on; a line on the console says why.
    pub const FAILURE: Self = Self(1);
    /// It was asked for `--help` or `--version` and gave it.
    pub const HELP: Self = Self(63);
    /// It did not understand an argument.
    pub const BAD_ARGUMENT: Self = Self(64);
    /// It panicked. On Unix the Rust runtime ends the process with the same number.
    pub const PANIC: Self = Self(101);
}

#[cfg(feature = "unix")]
impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}
