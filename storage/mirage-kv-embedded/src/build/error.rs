//! Why a directory could not be embedded.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Reading a directory or file.
    Read,
    /// Making a key of a name.
    Name,
    /// Going deeper than 64 directories, or around a link that leads back.
    Descend,
    /// Writing the source.
    Write,
}

/// A directory could not be embedded.
#[derive(Debug)]
pub struct BuildError {
    /// What was tried.
    pub action: Action,
    /// With which file.
    pub path: PathBuf,
    /// What the system said, where it did.
    cause: Option<io::Error>,
}

impl BuildError {
    pub(crate) fn new(action: Action, path: &Path, cause: impl Into<Option<io::Error>>) -> Self {
        Self { action, path: path.into(), cause: cause.into() }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.action {
            Action::Read => write!(f, "cannot read `{path}` to embed it")?,
            Action::Name => write!(f, "the name of `{path}` is not UTF-8, so no key can spell it")?,
            Action::Descend => write!(f, "`{path}` is more than 64 directories deep, or a link leads back up")?,
            Action::Write => write!(f, "cannot write the table of embedded files to `{path}`")?,
        }
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
