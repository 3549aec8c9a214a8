//! Why the gateway ended or did not start.

use core::fmt;

use mirage_stack::ErrorKind;

use crate::Forward;

/// Why the gateway ended or did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A forward's port on the host could not be had: choose another.
    Listen {
        /// The forward.
        forward: Forward,
        /// Why not.
        reason: ErrorKind,
    },
    /// The gateway's own stack refused its configuration.
    Stack(ErrorKind),
    /// The cable was pulled: the guest is gone.
    Disconnected,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { forward, reason } => write!(f, "cannot listen on {}: {reason}", forward.host),
            Self::Stack(reason) => write!(f, "the gateway's stack: {reason}"),
            Self::Disconnected => f.write_str("the guest is gone"),
        }
    }
}

impl core::error::Error for Error {}
