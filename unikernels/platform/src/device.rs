//! Devices that an application declares, and what it gets for them.

use core::fmt;

/// A device that an application declares in [`App::DEVICES`](crate::App::DEVICES).
///
/// On bootable targets the image cannot be started without it; the tender's command line names it,
/// `--block:data=disk.img`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name: 1 to 67 letters and digits.
    pub name: &'static str,
    /// What it is.
    pub kind: DeviceKind,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A block device, [`Context::disk`](crate::Context::disk).
    Block,
    /// A network device of the application's own, [`Context::nic`](crate::Context::nic).
    Net,
}

impl Device {
    /// The network device of applications that are [`Networked`](crate::Networked); nobody has to declare it.
    pub const SERVICE: Self = Self::net("service");

    /// A block device.
    pub const fn block(name: &'static str) -> Self {
        Self { name, kind: DeviceKind::Block }
    }

    /// A network device beside the one that the application's stack runs on.
    pub const fn net(name: &'static str) -> Self {
        Self { name, kind: DeviceKind::Net }
    }
}

/// Why there is no such device for the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceError {
    /// None of this name and kind was given to the image, or it was not declared.
    Missing,
    /// It was handed out before and is still there.
    Busy,
    /// It is there but does not work.
    Unusable,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "there is no such device",
            Self::Busy => "the device is in use",
            Self::Unusable => "the device does not work",
        })
    }
}

impl core::error::Error for DeviceError {}

#[cfg(feature = "network")]
mod disk;

#[cfg(feature = "network")]
pub use disk::{Disk, Nic};
