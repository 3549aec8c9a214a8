//! What stands behind a network device.

use std::ffi::c_int;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::rand::{GetRandomFlags, getrandom};

// <linux/if_tun.h>
const TUNSETIFF: Opcode = opcode::write::<c_int>(b'T', 202);
const IFF_TAP: u16 = 0x0002;
const IFF_NO_PI: u16 = 0x1000;

// <linux/sockios.h>, <linux/if.h>
const SIOCGIFFLAGS: Opcode = 0x8913;
const SIOCGIFMTU: Opcode = 0x8921;
const IFF_UP: u16 = 0x0001;

/// A descriptor that takes and gives one Ethernet frame per call.
#[derive(Debug)]
pub struct Net {
    /// A tap device or a `SOCK_SEQPACKET` or `SOCK_DGRAM` socket, non-blocking. Nothing stands before a frame.
    pub fd: OwnedFd,
    /// The hardware address that the guest takes.
    pub mac: [u8; 6],
    /// The largest packet that the guest sends, in bytes, without the 14 of the link header.
    pub mtu: u16,
}

/// Why a tap device was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum NetError {
    /// There is no interface of that name: `ip tuntap add NAME mode tap user YOU` as root.
    Missing,
    /// It is down: `ip link set NAME up` as root.
    Down,
    /// It is not ours to open, in use, or no tap device.
    Open(io::Error),
    /// The kernel had no random bytes for an address.
    Random(io::Error),
}

impl Net {
    /// Opens the tap device `name`, which must be there and up. `mac` is random and local when `None`; the MTU is the
    /// interface's.
    ///
    /// # Errors
    /// See [`NetError`].
    pub fn tap(name: &str, mac: Option<[u8; 6]>) -> Result<Self, NetError> {
        let mut request = Request::new(name).ok_or(NetError::Missing)?;
        let any = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
        let any = any.map_err(|error| NetError::Open(error.into()))?;
        // SAFETY: SIOCGIFMTU reads the name of a `struct ifreq` and writes an `int` behind it; `Request` is as large as
        // that and any bytes are valid for it.
        unsafe { ioctl(&any, Updater::<SIOCGIFMTU, _>::new(&mut request)) }.map_err(|_| NetError::Missing)?;
        // An interface with a larger one carries smaller packets as well.
        let mtu = u16::try_from(request.number()).unwrap_or(u16::MAX);
        // SAFETY: SIOCGIFFLAGS reads the name of a `struct ifreq` and writes a `short` behind it; as above.
        unsafe { ioctl(&any, Updater::<SIOCGIFFLAGS, _>::new(&mut request)) }.map_err(|_| NetError::Missing)?;
        if request.flags() & IFF_UP == 0 {
            return Err(NetError::Down);
        }
        let fd = open(request).map_err(NetError::Open)?;
        let mac = mac.map_or_else(random_mac, Ok).map_err(NetError::Random)?;
        Ok(Self { fd, mac, mtu })
    }
}

fn open(mut request: Request) -> io::Result<OwnedFd> {
    request.value = [0; 24];
    request.value[..2].copy_from_slice(&(IFF_TAP | IFF_NO_PI).to_ne_bytes());
    let fd = rustix::fs::open("/dev/net/tun", OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    // SAFETY: TUNSETIFF reads a `struct ifreq` and writes its name back; `Request` is as large as that and any bytes are
    // valid for it.
    unsafe { ioctl(&fd, Updater::<TUNSETIFF, _>::new(&mut request)) }?;
    Ok(fd)
}

/// A random address of one station that its owner made up (IEEE 802: second bit set, first clear).
fn random_mac() -> io::Result<[u8; 6]> {
    let mut mac = [0; 6];
    // So few bytes come at once or not at all.
    getrandom(&mut mac[..], GetRandomFlags::empty())?;
    mac[0] = (mac[0] | 2) & !1;
    Ok(mac)
}

/// `struct ifreq` as the kernel has it on 64-bit machines; on 32-bit ones it is shorter and the rest is not looked at.
#[repr(C)]
struct Request {
    name: [u8; 16],
    value: [u8; 24],
}

impl Request {
    /// `None` unless the name has 1 to 15 bytes, none of them zero.
    fn new(name: &str) -> Option<Self> {
        let mut request = Self { name: [0; 16], value: [0; 24] };
        let place = request.name[..15].get_mut(..name.len()).filter(|_| !name.is_empty() && !name.contains('\0'))?;
        place.copy_from_slice(name.as_bytes());
        Some(request)
    }

    fn flags(&self) -> u16 {
        u16::from_ne_bytes([self.value[0], self.value[1]])
    }

    fn number(&self) -> c_int {
        c_int::from_ne_bytes([self.value[0], self.value[1], self.value[2], self.value[3]])
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such interface (ip tuntap add NAME mode tap user YOU)"),
            Self::Down => f.write_str("the interface is down (ip link set NAME up)"),
            Self::Open(error) => write!(f, "the tap device cannot be opened: {error}"),
            Self::Random(error) => write!(f, "no random hardware address: {error}"),
        }
    }
}

impl core::error::Error for NetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_is_not_there_is_refused() {
        for name in ["", "none0", "a name that is too long", "zero\0"] {
            assert!(matches!(Net::tap(name, None), Err(NetError::Missing)), "{name}");
        }
    }

    #[test]
    fn a_random_address_is_local_and_of_one_station() {
        for _ in 0..50 {
            assert_eq!(random_mac().expect("entropy")[0] & 3, 2);
        }
    }
}
