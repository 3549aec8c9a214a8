//! Sums with vector instructions: the only room of this crate with `unsafe`.

#[cfg(not(mirage_checksum = "compact"))]
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx2;
#[cfg(any(test, mirage_checksum = "compact"))]
mod compact;
#[cfg(not(mirage_checksum = "compact"))]
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod detect;
#[cfg(not(mirage_checksum = "compact"))]
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse2"))))]
mod portable;
#[cfg(not(mirage_checksum = "compact"))]
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod sse2;
#[cfg_attr(mirage_checksum = "compact", allow(dead_code, reason = "some of it is for the vectors"))]
mod words;
#[cfg(not(mirage_checksum = "compact"))]
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod x86_64;

pub(crate) use words::{add_around, copy_few, copy_short, fold};

#[cfg(mirage_checksum = "compact")]
pub(crate) use compact::{copy, copy_and_sum, sum};
#[cfg(not(mirage_checksum = "compact"))]
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
pub(crate) use portable::{copy, copy_and_sum, sum};
#[cfg(not(mirage_checksum = "compact"))]
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub(crate) use x86_64::{copy, copy_and_sum, sum};

#[cfg(not(mirage_checksum = "compact"))]
#[cfg(all(test, target_arch = "x86_64", target_feature = "sse2"))]
mod tests;
