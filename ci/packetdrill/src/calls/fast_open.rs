//! Data with the SYN: what a client does (RFC 7413). What servers said is remembered by the machine.

use std::net::{IpAddr, SocketAddrV4};
use std::num::NonZeroU16;

use libc::c_int;
use mirage_tcp::Server;

use crate::errno::{Answer, Errno};
use crate::profile::client_fast_open;
use crate::socket::Role;
use crate::world::World;

impl World {
    /// Whether data may go to a host with the SYN: there is a cookie, or none is needed.
    pub(crate) fn may_send_first(&mut self, remote: SocketAddrV4) -> bool {
        let local = self.profile().local;
        let known = self.stack().tcp.server(local.into(), (*remote.ip()).into());
        client_fast_open().without_cookie || known.is_some_and(|known| known.cookie.is_some())
    }

    /// Connects with as much of `bytes` in the SYN as goes; gives how much that is.
    pub(crate) fn connect_with(&mut self, fd: c_int, remote: SocketAddrV4, bytes: &[u8]) -> Answer<usize> {
        let client = client_fast_open();
        if !client.enabled {
            return Err(Errno(libc::EOPNOTSUPP));
        }
        let (local, now) = (self.profile().local, self.now);
        let socket = self.socket(fd)?;
        let (source, port) = match socket.role {
            Role::Bound(address) if !address.ip().is_unspecified() => (*address.ip(), NonZeroU16::new(address.port())),
            _ => (local, None),
        };
        let (source, options) = (IpAddr::V4(source), socket.options.tcp());
        let stack = self.stack();
        let path = stack.wire.mtu.saturating_sub(40) as u16;
        // The path takes no more beside the largest options.
        let bytes = &bytes[..bytes.len().min(path.saturating_sub(40).into())];
        let server = IpAddr::V4(*remote.ip());
        let known = stack.tcp.server(source, server).unwrap_or_default();
        let mss = if client.without_cookie && known.mss == 0 { path } else { known.mss };
        stack.tcp.set_server(now, source, server, Server { without_cookie: client.without_cookie, mss, ..known });
        let (id, taken) = stack.tcp.connect_first(now, source, port, remote.into(), options, bytes)?;
        self.socket(fd)?.role = Role::Stream { id, opened: false };
        Ok(taken)
    }
}
