//! What an image says of a panic, before the addresses of the calls that led there.

#[cfg(not(feature = "panic-text"))]
mod brief;
#[cfg(feature = "panic-text")]
mod full;

#[cfg(not(feature = "panic-text"))]
pub(super) use brief::show;
#[cfg(feature = "panic-text")]
pub(super) use full::show;
