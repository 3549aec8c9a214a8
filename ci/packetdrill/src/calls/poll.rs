//! What a descriptor is ready for.

use libc::{c_int, c_short};
use mirage_tcp::State;

use crate::socket::{Descriptor, Role};
use crate::world::World;

impl World {
    /// All that a descriptor is ready for, as `poll` says it.
    pub(crate) fn readiness(&mut self, fd: c_int) -> c_short {
        let socket = match self.descriptors.get(&fd) {
            None => return libc::POLLNVAL,
            Some(Descriptor::Epoll(_)) => return 0,
            Some(Descriptor::Socket(socket)) => socket,
        };
        match socket.role {
            Role::Listener { .. } => match self.next_waiting(fd) {
                Ok(Some(_)) => libc::POLLIN | libc::POLLRDNORM,
                _ => 0,
            },
            Role::Stream { id, opened } => {
                let (told, read_shut, write_shut) = (socket.told, socket.read_shut, socket.write_shut);
                let limit = socket.options.send_buffer;
                if !opened && self.is_connecting(fd) {
                    return 0;
                }
                let tcp = &self.stack().tcp;
                let state = tcp.state(id).unwrap_or_default();
                let mut ready = 0;
                if read_shut || tcp.can_read(id) {
                    ready |= libc::POLLIN | libc::POLLRDNORM;
                }
                let room = match (limit, tcp.info(id)) {
                    // Linux: a third of the buffer has to be free.
                    (Some(limit), Some(info)) => info.send_queued < limit - limit / 3,
                    _ => true,
                };
                if write_shut || (tcp.can_write(id) && room) {
                    ready |= libc::POLLOUT | libc::POLLWRNORM;
                }
                let ended = matches!(state, State::CloseWait | State::Closing | State::LastAck | State::TimeWait);
                if ended || state == State::Closed {
                    ready |= libc::POLLRDHUP;
                }
                if state == State::Closed || (write_shut && ended) {
                    ready |= libc::POLLHUP;
                }
                if state == State::Closed && !told && self.failure(fd).is_some() {
                    ready |= libc::POLLERR;
                }
                ready
            }
            Role::Deferred(_) => libc::POLLOUT | libc::POLLWRNORM,
            Role::Fresh | Role::Bound(_) => libc::POLLOUT | libc::POLLHUP,
        }
    }
}
