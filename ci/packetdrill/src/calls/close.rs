//! Ends.

use libc::c_int;
use mirage_tcp::{Direction, State};

use crate::errno::{Answer, Errno};
use crate::socket::{Descriptor, Role};
use crate::world::World;

impl World {
    pub(crate) fn close(&mut self, fd: c_int) -> Answer<()> {
        let descriptor = self.descriptors.remove(&fd).ok_or(Errno(libc::EBADF))?;
        for other in self.descriptors.values_mut() {
            if let Descriptor::Epoll(watched) = other {
                watched.remove(&fd);
            }
        }
        self.numbers.remove(&fd);
        let Descriptor::Socket(socket) = descriptor else { return Ok(()) };
        if socket.options.max_segment.is_some() {
            self.stack().wire.mtu = self.profile().mtu;
        }
        let tcp = &mut self.stack().tcp;
        match socket.role {
            Role::Stream { id, .. } if socket.options.linger == Some(0) => tcp.abort(id),
            Role::Stream { id, .. } => tcp.close(id),
            Role::Listener { id, waiting } => {
                waiting.into_iter().for_each(|connection| tcp.abort(connection));
                tcp.close_listener(id);
            }
            Role::Fresh | Role::Bound(_) | Role::Deferred(_) => {}
        }
        Ok(())
    }

    pub(crate) fn shutdown(&mut self, fd: c_int, how: c_int) -> Answer<()> {
        let direction = match how {
            libc::SHUT_RD => Direction::Read,
            libc::SHUT_WR => Direction::Write,
            libc::SHUT_RDWR => Direction::Both,
            _ => return Err(Errno(libc::EINVAL)),
        };
        let Some(id) = self.socket(fd)?.connection() else { return Err(Errno(libc::ENOTCONN)) };
        let tcp = &mut self.stack().tcp;
        if matches!(tcp.state(id), None | Some(State::Closed | State::TimeWait)) {
            return Err(Errno(libc::ENOTCONN));
        }
        if direction != Direction::Read {
            tcp.shutdown(id, Direction::Write).map_err(|_| Errno(libc::ENOTCONN))?;
        }
        let socket = self.socket(fd)?;
        socket.write_shut |= direction != Direction::Read;
        socket.read_shut |= direction != Direction::Write;
        Ok(())
    }
}
