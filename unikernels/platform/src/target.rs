//! The target that this image is for: the one place where it is chosen.
//!
//! Each target is a module with the same names: `Machine`, which is the target to the rest of the platform, the types
//! of its devices, and `network`, which gives an application its stack.

#[cfg(not(any(feature = "unix", feature = "image")))]
mod none;

#[cfg(feature = "unix")]
pub(crate) use crate::unix::{Block, Counted, Machine, Net};

#[cfg(all(any(feature = "solo5-spt", feature = "solo5-hvt"), not(feature = "unix")))]
pub(crate) use crate::solo5::{Block, Counted, Machine, Net};

#[cfg(all(feature = "virtio", not(feature = "unix")))]
pub(crate) use crate::virtio::{Block, Counted, Machine, Net};

#[cfg(not(any(feature = "unix", feature = "image")))]
pub(crate) use none::{Counted, Machine};

#[cfg(all(
    not(feature = "unix"),
    any(
        all(feature = "solo5-spt", feature = "solo5-hvt"),
        all(feature = "virtio", any(feature = "solo5-spt", feature = "solo5-hvt")),
    )
))]
compile_error!("an image is for one target: choose one of the features `solo5-spt`, `solo5-hvt` and `virtio`");
