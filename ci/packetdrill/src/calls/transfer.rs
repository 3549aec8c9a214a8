//! Bytes in and out.

use std::task::{Context, Poll, Waker};

use libc::c_int;
use mirage_tcp::{ConnectionId, Error, State};

use super::options::TCP_INQ;
use crate::errno::{Answer, Errno};
use crate::socket::Role;
use crate::world::World;

impl World {
    /// Reads up to `most` bytes; none is the end.
    pub(crate) fn read(&mut self, fd: c_int, most: usize, flags: c_int) -> Poll<Answer<Vec<u8>>> {
        let result = self.take(fd, most, flags);
        if let Poll::Ready(Ok(bytes)) = &result
            && flags & libc::MSG_PEEK == 0
        {
            self.socket(fd)?.taken += bytes.len() as u64;
        }
        result
    }

    fn take(&mut self, fd: c_int, most: usize, flags: c_int) -> Poll<Answer<Vec<u8>>> {
        let id = match self.stream(fd) {
            Ok(id) => id,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if most == 0 {
            return Poll::Ready(Ok(Vec::new()));
        }
        let mut cx = Context::from_waker(Waker::noop());
        let socket = self.socket(fd)?;
        let (told, shut) = (socket.told, socket.read_shut);
        let tcp = &mut self.stack().tcp;
        let mut bytes = Vec::new();
        if flags & libc::MSG_PEEK != 0 {
            return match tcp.poll_read_with(id, &mut cx, |front| (0, front[..front.len().min(most)].to_vec())) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(front)) => Poll::Ready(Ok(front)),
                Poll::Ready(Err(_)) if told => Poll::Ready(Ok(Vec::new())),
                Poll::Ready(Err(error)) => Poll::Ready(Err(self.tell(fd, error))),
            };
        }
        let mut piece = vec![0; most];
        loop {
            match tcp.poll_read(id, &mut cx, &mut piece[..most - bytes.len()]) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    bytes.extend_from_slice(&piece[..count]);
                    if bytes.len() == most {
                        return Poll::Ready(Ok(bytes));
                    }
                }
                _ if !bytes.is_empty() => return Poll::Ready(Ok(bytes)),
                Poll::Ready(Ok(_)) => return Poll::Ready(Ok(bytes)),
                Poll::Ready(Err(_)) if told => return Poll::Ready(Ok(bytes)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.tell(fd, error))),
                Poll::Pending if shut => return Poll::Ready(Ok(bytes)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Writes as much of `bytes` behind the first `done` as there is room for; ready when all is written.
    pub(crate) fn write(&mut self, fd: c_int, bytes: &[u8], done: &mut usize, flags: c_int) -> Poll<Answer<()>> {
        let id = match self.stream(fd) {
            Ok(id) => id,
            Err(error) => return Poll::Ready(Err(if error.0 == libc::ENOTCONN { Errno(libc::EPIPE) } else { error })),
        };
        let socket = self.socket(fd)?;
        let (told, limit, shut) = (socket.told, socket.options.send_buffer, socket.write_shut);
        if shut {
            return Poll::Ready(Err(Errno(libc::EPIPE)));
        }
        let (more, ends) = (flags & libc::MSG_MORE != 0, flags & libc::MSG_EOR != 0);
        let mut cx = Context::from_waker(Waker::noop());
        let tcp = &mut self.stack().tcp;
        loop {
            let left = &bytes[*done..];
            let room = match (limit, tcp.info(id)) {
                (Some(limit), Some(info)) => limit.saturating_sub(info.send_queued) as usize,
                _ => usize::MAX,
            };
            if room == 0 && !left.is_empty() && tcp.state(id).is_some_and(|state| state != State::Closed) {
                return Poll::Pending;
            }
            let piece = &left[..left.len().min(room)];
            let written = match (more, ends && piece.len() == left.len()) {
                (true, _) => tcp.poll_write_more(id, &mut cx, piece),
                (false, true) => tcp.poll_write_record(id, &mut cx, piece),
                (false, false) => tcp.poll_write(id, &mut cx, piece),
            };
            match written {
                Poll::Ready(Ok(count)) => {
                    *done += count;
                    if *done == bytes.len() {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) if told || error == Error::Closed => {
                    return Poll::Ready(Err(Errno(libc::EPIPE)));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.tell(fd, error))),
            }
        }
    }

    /// How many bytes wait: to be read (`SIOCINQ`), to be acknowledged (`SIOCOUTQ`) or to be sent (`SIOCOUTQNSD`).
    pub(crate) fn queued(&mut self, fd: c_int, request: libc::c_ulong) -> Answer<c_int> {
        let Some(id) = self.socket(fd)?.connection() else { return Err(Errno(libc::EINVAL)) };
        let info = self.stack().tcp.info(id).unwrap_or_default();
        Ok(match request {
            libc::FIONREAD => info.receive_queued,
            libc::TIOCOUTQ => info.send_queued,
            SIOCOUTQNSD => info.send_queued.saturating_sub(info.in_flight),
            _ => return Err(Errno(libc::ENOTTY)),
        } as c_int)
    }

    /// What goes with the bytes that a message brought: how many more wait to be read, for those who asked. The end counts as
    /// one when it is all that is left.
    pub(crate) fn control(&mut self, fd: c_int) -> Vec<u8> {
        let Ok(socket) = self.socket(fd) else { return Vec::new() };
        let asked = socket.options.others.get(&(libc::IPPROTO_TCP, TCP_INQ)).is_some_and(|on| *on != 0);
        let Some(id) = socket.connection().filter(|_| asked) else { return Vec::new() };
        let tcp = &self.stack().tcp;
        let left = tcp.info(id).map_or(0, |info| info.receive_queued);
        let ended = tcp
            .state(id)
            .is_some_and(|state| matches!(state, State::CloseWait | State::Closing | State::LastAck | State::TimeWait));
        let value = if left == 0 && ended { 1 } else { left as c_int };
        // A `struct cmsghdr`, and what it announces.
        let len = size_of::<libc::cmsghdr>() + size_of::<c_int>();
        let mut bytes =
            [len.to_ne_bytes().as_slice(), &libc::IPPROTO_TCP.to_ne_bytes(), &TCP_INQ.to_ne_bytes()].concat();
        bytes.extend(value.to_ne_bytes());
        bytes.resize(len.next_multiple_of(size_of::<usize>()), 0);
        bytes
    }

    /// The connection that bytes go through.
    fn stream(&mut self, fd: c_int) -> Answer<ConnectionId> {
        match self.socket(fd)?.role {
            Role::Stream { id, .. } => Ok(id),
            Role::Deferred(_) => Err(Errno(libc::EAGAIN)),
            _ => Err(Errno(libc::ENOTCONN)),
        }
    }
}

/// Not in every C library's headers.
const SIOCOUTQNSD: libc::c_ulong = 0x894b;
