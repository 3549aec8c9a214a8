//! Why a device cannot be used.

use core::fmt;

use mirage_virtqueue::Refused;

/// Why a device cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// It is not a network device.
    NotANetworkDevice,
    /// It has no address of its own: give one in [`Options::mac`](crate::Options::mac).
    NoAddress,
    /// [`Options::receive_bytes`](crate::Options::receive_bytes) or
    /// [`Options::transmit_bytes`](crate::Options::transmit_bytes) are fewer than two frames of its MTU need.
    TooLittleMemory,
    /// The memory that was asked for is not there.
    NoMemory,
    /// It does not accept what this driver understands, or has no queues.
    Refused,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANetworkDevice => "not a network device",
            Self::NoAddress => "the device has no address, give one",
            Self::TooLittleMemory => "too little memory for two frames",
            Self::NoMemory => "no memory for the device",
            Self::Refused => "the device does not accept this driver",
        })
    }
}

impl core::error::Error for Error {}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoMemory => Self::NoMemory,
            _ => Self::Refused,
        }
    }
}
