//! A datagram socket.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use mirage_stack::{Datagram, ErrorKind, ErrorType};
use mirage_unix::{Direction, Registered};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, sockopt};

use crate::HostError;
use crate::counters::Open;

/// A datagram socket of the host.
#[derive(Debug)]
pub struct UdpSocket {
    fd: Registered<OwnedFd>,
    local: SocketAddr,
    /// The groups it is in, each as often as it was joined.
    groups: RefCell<Vec<IpAddr>>,
    _open: Open,
}

impl UdpSocket {
    pub(crate) fn new(fd: Registered<OwnedFd>, local: SocketAddr, open: Open) -> Self {
        Self { fd, local, groups: RefCell::default(), _open: open }
    }

    /// The host's interface for groups: that of our address, or the host's choice.
    fn interface(&self) -> Ipv4Addr {
        match self.local.ip() {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        }
    }
}

impl ErrorType for UdpSocket {
    type Error = HostError;
}

impl mirage_stack::UdpSocket for UdpSocket {
    async fn recv_from(&self, buffer: &mut [u8]) -> Result<Datagram, HostError> {
        let received = self.fd.io(Direction::Read, |fd| {
            let (_, len, remote) = rustix::net::recvfrom(fd, &mut *buffer, WHOLE_LENGTH)?;
            let remote = remote.and_then(|remote| SocketAddr::try_from(remote).ok());
            Ok(Datagram { len, remote: remote.ok_or(Errno::AFNOSUPPORT)?, local: self.local })
        });
        Ok(received.await?)
    }

    async fn send_to(&self, payload: &[u8], remote: SocketAddr) -> Result<(), HostError> {
        if remote.is_ipv4() != self.local.is_ipv4() {
            return Err(ErrorKind::Unsupported.into());
        }
        let sent =
            self.fd.io(Direction::Write, |fd| Ok(rustix::net::sendto(fd, payload, SendFlags::NOSIGNAL, &remote)?));
        sent.await?;
        Ok(())
    }

    fn connect(&self, remote: Option<SocketAddr>) -> Result<(), HostError> {
        let fd = self.fd.get_ref();
        let Some(remote) = remote else {
            match rustix::net::connect_unspec(fd) {
                Ok(()) | Err(Errno::AFNOSUPPORT) => {}
                Err(error) => return Err(error.into()),
            }
            // Linux forgets a port that it chose itself: take it again.
            return match rustix::net::bind(fd, &self.local) {
                Ok(()) | Err(Errno::INVAL) => Ok(()),
                Err(error) => Err(error.into()),
            };
        };
        if remote.is_ipv4() != self.local.is_ipv4() {
            return Err(ErrorKind::Unsupported.into());
        }
        Ok(rustix::net::connect(fd, &remote)?)
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn join_multicast(&self, group: IpAddr) -> Result<(), HostError> {
        if !group.is_multicast() {
            return Err(ErrorKind::AddressNotAvailable.into());
        }
        if group.is_ipv4() != self.local.is_ipv4() {
            return Err(ErrorKind::Unsupported.into());
        }
        let mut groups = self.groups.borrow_mut();
        if !groups.contains(&group) {
            let fd = self.fd.get_ref();
            match group {
                IpAddr::V4(group) => sockopt::set_ip_add_membership(fd, &group, &self.interface())?,
                IpAddr::V6(group) => sockopt::set_ipv6_add_membership(fd, &group, 0)?,
            }
        }
        groups.push(group);
        Ok(())
    }

    fn leave_multicast(&self, group: IpAddr) -> Result<(), HostError> {
        let mut groups = self.groups.borrow_mut();
        let joined = groups.iter().position(|joined| *joined == group);
        groups.swap_remove(joined.ok_or(ErrorKind::AddressNotAvailable)?);
        if !groups.contains(&group) {
            let fd = self.fd.get_ref();
            match group {
                IpAddr::V4(group) => sockopt::set_ip_drop_membership(fd, &group, &self.interface())?,
                IpAddr::V6(group) => sockopt::set_ipv6_drop_membership(fd, &group, 0)?,
            }
        }
        Ok(())
    }
}

/// Linux tells the length of a datagram that was cut when it is asked to.
#[cfg(target_os = "linux")]
const WHOLE_LENGTH: RecvFlags = RecvFlags::TRUNC;
/// Elsewhere the length is what fitted.
#[cfg(not(target_os = "linux"))]
const WHOLE_LENGTH: RecvFlags = RecvFlags::empty();
