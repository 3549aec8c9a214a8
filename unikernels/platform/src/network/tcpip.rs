//! Which TCP/IP stack of ours an image has.

use core::fmt;
use core::marker::PhantomData;

use mirage_tcp::{Profile, Standard};

/// A TCP/IP stack of ours, for [`Networked::TcpIp`](crate::Networked::TcpIp). What it leaves out is not linked.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a TCP/IP stack of ours",
    note = "stacks: `tcpip::Whole`, `tcpip::Unfragmented`, `tcpip::Tiny`"
)]
pub trait TcpIp: Assemble {}

/// [`mirage_tcpip`](https://docs.rs/mirage-tcpip) with all there is, and as much of TCP as the profile says:
/// [`Standard`] for all of it, [`Small`](crate::tcp::Small) for the bare necessities, or a profile of the application's own.
pub struct Whole<P = Standard>(PhantomData<P>);

/// The same without IPv4 fragments. An application that only speaks TCP does without, for TCP cuts its segments to what the
/// path takes; its image is 10 KB smaller.
pub struct Unfragmented<P = Standard>(PhantomData<P>);

/// [`mirage_tiny`](https://docs.rs/mirage-tiny), which is a sixth of the code: windows of up to 64 KiB, one address, no fragments,
/// no multicast, and losses repaired as in the TCP of old.
pub struct Tiny;

impl<P: Profile> TcpIp for Whole<P> {}
impl<P: Profile> TcpIp for Unfragmented<P> {}
impl TcpIp for Tiny {}

impl<P> fmt::Debug for Whole<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whole")
    }
}

impl<P> fmt::Debug for Unfragmented<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unfragmented")
    }
}

impl fmt::Debug for Tiny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tiny")
    }
}

#[cfg(all(feature = "image", not(feature = "unix")))]
use crate::image::Assemble;

/// Nobody else makes stacks, and a process makes its own.
#[cfg(not(all(feature = "image", not(feature = "unix"))))]
mod sealed {
    pub trait Assemble {}

    impl<T> Assemble for T {}
}
#[cfg(not(all(feature = "image", not(feature = "unix"))))]
use sealed::Assemble;
