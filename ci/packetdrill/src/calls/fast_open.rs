//! Data with the SYN: what a client does, and what it remembers of servers (RFC 7413).

use std::net::{IpAddr, SocketAddrV4};
use std::num::NonZeroU16;

use libc::c_int;
use mirage_tcp::{ConnectionId, Cookie, FirstData, State};

use crate::errno::{Answer, Errno};
use crate::profile::client_fast_open;
use crate::socket::{Descriptor, Role};
use crate::world::World;

/// What a server said the last time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    cookie: Option<Cookie>,
    mss: u16,
}

impl World {
    /// Whether data may go to a host with the SYN: there is a cookie, or none is needed.
    pub(crate) fn may_send_first(&self, remote: SocketAddrV4) -> bool {
        let client = client_fast_open();
        client.without_cookie || self.known.get(remote.ip()).is_some_and(|known| known.cookie.is_some())
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
        let options = socket.options.tcp();
        let known = self.known.get(remote.ip()).copied().unwrap_or(Known { cookie: None, mss: u16::MAX });
        let cookie = match known.cookie {
            _ if client.without_cookie => None,
            known => Some(known.unwrap_or(Cookie::REQUEST)),
        };
        let stack = self.stack();
        let path = stack.wire.mtu.saturating_sub(40) as u16;
        let first = FirstData { cookie, peer_mss: known.mss.min(path), bytes };
        let source = IpAddr::V4(source);
        let (id, taken) = stack.tcp.connect_with(now, source, port, remote.into(), options, &first)?;
        let socket = self.socket(fd)?;
        socket.role = Role::Stream { id, opened: false };
        socket.fast_open = true;
        Ok(taken)
    }

    /// Remembers what servers said in their SYN-ACKs.
    pub(crate) fn learn(&mut self) {
        let asked: Vec<ConnectionId> = self
            .descriptors
            .values()
            .filter_map(|descriptor| match descriptor {
                Descriptor::Socket(socket) if socket.fast_open => socket.connection(),
                _ => None,
            })
            .collect();
        for id in asked {
            let now = self.now;
            let tcp = &self.stack().tcp;
            let (Some(std::net::SocketAddr::V4(remote)), Some(info)) = (tcp.remote(id), tcp.tcp_info(id, now)) else {
                continue;
            };
            if info.state == State::SynSent || info.state == State::Closed {
                continue;
            }
            let cookie = tcp.fast_open_cookie(id);
            let known = self.known.entry(*remote.ip()).or_insert(Known { cookie: None, mss: 0 });
            known.cookie = cookie.or(known.cookie);
            known.mss = info.peer_mss;
        }
    }
}
