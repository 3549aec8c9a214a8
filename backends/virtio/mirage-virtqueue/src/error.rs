//! What can go wrong with a queue.

use core::fmt;

/// No descriptors are left: take back what the device is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The device said something that cannot be: the queue is of no use any more, reset the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// Why a device cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It does not accept the features that the driver understands.
    Features,
    /// It has no such queue, or the queue is in use.
    NoQueue,
    /// There is no memory for the queue.
    NoMemory,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no descriptors are left")
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the device broke the rules of its queue")
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Features => "the device does not accept our features",
            Self::NoQueue => "the device has no such queue",
            Self::NoMemory => "no memory for the queue",
        })
    }
}

impl core::error::Error for Full {}
impl core::error::Error for Broken {}
impl core::error::Error for Refused {}
