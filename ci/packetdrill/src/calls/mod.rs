//! The socket calls, on plain Rust types.

mod close;
pub(crate) mod epoll;
mod fast_open;
mod open;
mod options;
mod poll;
mod transfer;

use libc::c_int;

use crate::errno::{Answer, Errno};
use crate::socket::{Descriptor, Socket};
use crate::world::World;

impl World {
    /// The socket behind a descriptor.
    pub(crate) fn socket(&mut self, fd: c_int) -> Answer<&mut Socket> {
        match self.descriptors.get_mut(&fd) {
            Some(Descriptor::Socket(socket)) => Ok(socket),
            Some(Descriptor::Epoll(_)) => Err(Errno(libc::ENOTSOCK)),
            None => Err(Errno(libc::EBADF)),
        }
    }
}
