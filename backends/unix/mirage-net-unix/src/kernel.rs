//! What is asked of the kernel by `ioctl`.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::ioctl::{IntegerSetter, Opcode, Setter, Updater, ioctl, opcode};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

// <linux/if_tun.h>
const TUNSETIFF: Opcode = opcode::write::<c_int>(b'T', 202);
const TUNSETOFFLOAD: Opcode = opcode::write::<std::ffi::c_uint>(b'T', 208);
const TUNSETVNETHDRSZ: Opcode = opcode::write::<c_int>(b'T', 216);
const TUNSETVNETLE: Opcode = opcode::write::<c_int>(b'T', 220);
const IFF_TAP: u16 = 0x0002;
const IFF_NO_PI: u16 = 0x1000;
const IFF_VNET_HDR: u16 = 0x4000;
const TUN_F_CSUM: usize = 0x01;
const TUN_F_TSO4: usize = 0x02;
const TUN_F_TSO6: usize = 0x04;
const TUN_F_USO4: usize = 0x20;
const TUN_F_USO6: usize = 0x40;

// <linux/sockios.h>, <linux/if.h>
const SIOCGIFFLAGS: Opcode = 0x8913;
const SIOCGIFMTU: Opcode = 0x8921;
const IFF_UP: u16 = 0x0001;
const IFF_RUNNING: u16 = 0x0040;

/// `struct ifreq` as the kernel has it on 64-bit machines; on 32-bit ones it is shorter and the rest is not looked at.
#[repr(C)]
struct Request {
    name: [u8; 16],
    value: [u8; 24],
}

impl Request {
    fn new(name: &str, value: u16) -> io::Result<Self> {
        let mut request = Self { name: [0; 16], value: [0; 24] };
        // One byte stays zero: the kernel's names end in one.
        let place = request.name[..15].get_mut(..name.len()).filter(|_| !name.is_empty() && !name.contains('\0'));
        let place =
            place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a device's name has 1 to 15 bytes"))?;
        place.copy_from_slice(name.as_bytes());
        request.value[..2].copy_from_slice(&value.to_ne_bytes());
        Ok(request)
    }

    fn flags(&self) -> u16 {
        u16::from_ne_bytes([self.value[0], self.value[1]])
    }

    fn number(&self) -> c_int {
        c_int::from_ne_bytes([self.value[0], self.value[1], self.value[2], self.value[3]])
    }
}

/// What the kernel takes over for us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offloads {
    pub(crate) checksum: bool,
    pub(crate) tcp: bool,
    pub(crate) udp: bool,
}

/// Opens the tap device `name`, non-blocking; makes it if there is none and we may.
pub(crate) fn open(name: &str, with_header: bool) -> io::Result<OwnedFd> {
    let flags = IFF_TAP | IFF_NO_PI | if with_header { IFF_VNET_HDR } else { 0 };
    let mut request = Request::new(name, flags)?;
    let fd = rustix::fs::open("/dev/net/tun", OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    // SAFETY: TUNSETIFF reads a `struct ifreq` and writes its name back; `Request` is as large as that and any bytes
    // are valid for it.
    unsafe { ioctl(&fd, Updater::<TUNSETIFF, _>::new(&mut request)) }?;
    Ok(fd)
}

/// Agrees with the kernel on the header's form and on what it takes over; both may be other than a default when the
/// device was there before.
pub(crate) fn negotiate(fd: impl AsFd) -> io::Result<Offloads> {
    let fd = fd.as_fd();
    // SAFETY: TUNSETVNETHDRSZ reads an `int`.
    unsafe { ioctl(fd, Setter::<TUNSETVNETHDRSZ, c_int>::new(mirage_virtio_header::LEN as c_int)) }?;
    // SAFETY: TUNSETVNETLE reads an `int`.
    unsafe { ioctl(fd, Setter::<TUNSETVNETLE, c_int>::new(1)) }?;
    let granted = |flags: usize| {
        // SAFETY: TUNSETOFFLOAD takes its argument as a number; flags that the kernel does not know are refused.
        unsafe { ioctl(fd, IntegerSetter::<TUNSETOFFLOAD>::new_usize(flags)) }.is_ok()
    };
    let (checksum, tcp) = (TUN_F_CSUM, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6);
    // Only asked to learn whether the kernel can cut datagrams: merged ones shall not come in, so the flags do not stay.
    let udp = granted(tcp | TUN_F_USO4 | TUN_F_USO6);
    if granted(tcp) {
        return Ok(Offloads { checksum: true, tcp: true, udp });
    }
    Ok(Offloads { checksum: granted(checksum), tcp: false, udp: false })
}

/// Asks the kernel about the interface behind a tap device.
#[derive(Debug)]
pub(crate) struct Interface {
    name: String,
    /// Any socket will do.
    socket: OwnedFd,
}

impl Interface {
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        Ok(Self { name: name.into(), socket })
    }

    /// Its MTU in bytes.
    pub(crate) fn mtu(&self) -> io::Result<usize> {
        let mut request = Request::new(&self.name, 0)?;
        // SAFETY: SIOCGIFMTU reads the name of a `struct ifreq` and writes an `int` behind it; `Request` is as large as
        // that and any bytes are valid for it.
        unsafe { ioctl(&self.socket, Updater::<SIOCGIFMTU, _>::new(&mut request)) }?;
        usize::try_from(request.number()).map_err(io::Error::other)
    }

    /// Whether it is up and running.
    pub(crate) fn is_up(&self) -> io::Result<bool> {
        let mut request = Request::new(&self.name, 0)?;
        // SAFETY: SIOCGIFFLAGS reads the name of a `struct ifreq` and writes a `short` behind it; as above.
        unsafe { ioctl(&self.socket, Updater::<SIOCGIFFLAGS, _>::new(&mut request)) }?;
        Ok(request.flags() & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING)
    }
}
