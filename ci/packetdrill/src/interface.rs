//! packetdrill's C interface: a table of functions, each of which gets back the `userdata` beside them.
//!
//! `userdata` is a reference to [`Shared`], which lives as long as the process. Every other pointer is taken as a mere
//! number and left to [`memory`], so the functions themselves are safe.

use std::ffi::{CStr, c_char};
use std::mem::offset_of;
use std::net::{SocketAddr, SocketAddrV4};
use std::task::Poll;

use libc::{c_int, c_uint, c_ulong, msghdr, sockaddr_in, socklen_t};
use mirage_clock::Duration;

use crate::errno::{Answer, Errno};
use crate::memory::{self, copy_in, copy_out, read};
use crate::socket::Role;
use crate::world::{Shared, World};

/// `struct packetdrill_interface`.
#[repr(C)]
pub(crate) struct Interface {
    userdata: &'static Shared,
    free: extern "C" fn(&Shared),
    socket: extern "C" fn(&Shared, c_int, c_int, c_int) -> c_int,
    bind: extern "C" fn(&Shared, c_int, usize, socklen_t) -> c_int,
    listen: extern "C" fn(&Shared, c_int, c_int) -> c_int,
    accept: extern "C" fn(&Shared, c_int, usize, usize) -> c_int,
    connect: extern "C" fn(&Shared, c_int, usize, socklen_t) -> c_int,
    read: extern "C" fn(&Shared, c_int, usize, usize) -> isize,
    readv: extern "C" fn(&Shared, c_int, usize, c_int) -> isize,
    recv: extern "C" fn(&Shared, c_int, usize, usize, c_int) -> isize,
    recvfrom: extern "C" fn(&Shared, c_int, usize, usize, c_int, usize, usize) -> isize,
    recvmsg: extern "C" fn(&Shared, c_int, usize, c_int) -> isize,
    write: extern "C" fn(&Shared, c_int, usize, usize) -> isize,
    writev: extern "C" fn(&Shared, c_int, usize, c_int) -> isize,
    send: extern "C" fn(&Shared, c_int, usize, usize, c_int) -> isize,
    sendto: extern "C" fn(&Shared, c_int, usize, usize, c_int, usize, socklen_t) -> isize,
    sendmsg: extern "C" fn(&Shared, c_int, usize, c_int) -> isize,
    // These two are variadic in C; with at most one more argument the calling convention of 64-bit Unix is the same.
    fcntl: extern "C" fn(&Shared, c_int, c_int, usize) -> c_int,
    ioctl: extern "C" fn(&Shared, c_int, c_ulong, usize) -> c_int,
    close: extern "C" fn(&Shared, c_int) -> c_int,
    shutdown: extern "C" fn(&Shared, c_int, c_int) -> c_int,
    getsockopt: extern "C" fn(&Shared, c_int, c_int, c_int, usize, usize) -> c_int,
    setsockopt: extern "C" fn(&Shared, c_int, c_int, c_int, usize, socklen_t) -> c_int,
    poll: extern "C" fn(&Shared, usize, libc::nfds_t, c_int) -> c_int,
    netdev_send: extern "C" fn(&Shared, usize, usize) -> c_int,
    netdev_receive: extern "C" fn(&Shared, usize, usize, usize) -> c_int,
    usleep: extern "C" fn(&Shared, c_uint) -> c_int,
    gettimeofday: extern "C" fn(&Shared, usize, usize) -> c_int,
    epoll_create: extern "C" fn(&Shared, c_int) -> c_int,
    epoll_ctl: extern "C" fn(&Shared, c_int, c_int, c_int, usize) -> c_int,
    epoll_wait: extern "C" fn(&Shared, c_int, usize, c_int, c_int) -> c_int,
    pipe: extern "C" fn(&Shared, usize) -> c_int,
    splice: extern "C" fn(&Shared, c_int, usize, c_int, usize, usize, c_uint) -> isize,
}

/// What packetdrill looks for in a shared object: fills `interface`. `flags` is what `--so_flags` says, or null.
///
/// # Safety
/// `flags` is null or a string of C's, and `interface` points to room for the table.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn packetdrill_interface_init(flags: *const c_char, interface: *mut Interface) {
    let flags = match flags.is_null() {
        true => String::new(),
        // SAFETY: the caller promises that it is a string.
        false => unsafe { CStr::from_ptr(flags) }.to_string_lossy().into_owned(),
    };
    let table = Interface {
        userdata: Box::leak(Box::new(Shared::new(&flags))),
        free,
        socket,
        bind,
        listen,
        accept,
        connect,
        read: plain_read,
        readv,
        recv,
        recvfrom,
        recvmsg,
        write,
        writev,
        send,
        sendto,
        sendmsg,
        fcntl,
        ioctl,
        close,
        shutdown,
        getsockopt,
        setsockopt,
        poll,
        netdev_send,
        netdev_receive,
        usleep,
        gettimeofday,
        epoll_create,
        epoll_ctl,
        epoll_wait,
        pipe,
        splice,
    };
    // SAFETY: the caller promises that there is room for it.
    unsafe { interface.write(table) };
}

/// Answers as C does: with -1 and `errno` set when it failed.
fn answer<T: TryInto<isize>>(answer: Answer<T>) -> isize {
    match answer.map(|value| value.try_into().unwrap_or(isize::MAX)) {
        Ok(value) => value,
        Err(Errno(number)) => {
            // SAFETY: this thread's own `errno`.
            unsafe { *libc::__errno_location() = number };
            -1
        }
    }
}

/// The same for calls that give an `int`.
fn answer_int(result: Answer<c_int>) -> c_int {
    answer(result.map(|value| value as isize)) as c_int
}

/// The same for calls that give nothing.
fn done(result: Answer<()>) -> c_int {
    answer_int(result.map(|()| 0))
}

/// The process ends soon after this, and a thread may still wait in a call.
extern "C" fn free(_: &Shared) {}

extern "C" fn socket(shared: &Shared, domain: c_int, kind: c_int, protocol: c_int) -> c_int {
    answer_int(shared.with(|world| world.open(domain, kind, protocol)))
}

extern "C" fn bind(shared: &Shared, fd: c_int, address: usize, len: socklen_t) -> c_int {
    done(address_in(address, len).and_then(|address| shared.with(|world| world.bind(fd, address))))
}

extern "C" fn listen(shared: &Shared, fd: c_int, backlog: c_int) -> c_int {
    done(shared.with(|world| world.listen(fd, backlog)))
}

extern "C" fn accept(shared: &Shared, fd: c_int, address: usize, len: usize) -> c_int {
    let wait = shared.with(|world| world.socket(fd).map(|socket| socket.read_wait(0)));
    let accepted = wait.and_then(|wait| shared.wait(wait, |world| world.accept(fd)));
    answer_int(accepted.and_then(|(fd, remote)| {
        if let Some(SocketAddr::V4(remote)) = remote
            && address != 0
        {
            let room = read::<u32>(len)? as usize;
            let bytes = address_bytes(remote);
            copy_out(address, &bytes[..bytes.len().min(room)])?;
            copy_out(len, &(bytes.len() as u32).to_ne_bytes())?;
        }
        Ok(fd)
    }))
}

extern "C" fn connect(shared: &Shared, fd: c_int, address: usize, len: socklen_t) -> c_int {
    let begin = |address| {
        shared.with(|world| {
            world.connect(fd, address)?;
            let socket = world.socket(fd)?;
            // One that waits for something to send is as good as connected.
            Ok(match socket.role {
                Role::Deferred(_) => Some(Duration::MAX),
                _ => socket.write_wait(0),
            })
        })
    };
    done(address_in(address, len).and_then(begin).and_then(|wait| match wait {
        None => Err(Errno(libc::EINPROGRESS)),
        wait => shared.wait(wait, |world| world.connected(fd)),
    }))
}

/// Reads and puts what was read where it belongs.
fn receive(shared: &Shared, fd: c_int, most: usize, flags: c_int, put: impl FnOnce(&[u8]) -> Answer<()>) -> isize {
    let wait = shared.with(|world| world.socket(fd).map(|socket| socket.read_wait(flags)));
    let bytes = wait.and_then(|wait| shared.wait(wait, |world| world.read(fd, most, flags)));
    answer(bytes.and_then(|bytes| {
        if flags & libc::MSG_TRUNC == 0 {
            put(&bytes)?;
        }
        Ok(bytes.len())
    }))
}

extern "C" fn plain_read(shared: &Shared, fd: c_int, buffer: usize, len: usize) -> isize {
    recv(shared, fd, buffer, len, 0)
}

extern "C" fn readv(shared: &Shared, fd: c_int, list: usize, count: c_int) -> isize {
    let count = count.max(0) as usize;
    match memory::room(list, count) {
        Ok(most) => receive(shared, fd, most, 0, |bytes| memory::scatter(list, count, bytes)),
        Err(error) => answer(Err::<isize, _>(error)),
    }
}

extern "C" fn recv(shared: &Shared, fd: c_int, buffer: usize, len: usize, flags: c_int) -> isize {
    // Before anything is taken out of the queue.
    if let (0, Err(error)) = (flags & libc::MSG_TRUNC, copy_in(buffer, len.min(1))) {
        return answer(Err::<isize, _>(error));
    }
    receive(shared, fd, len, flags, |bytes| copy_out(buffer, bytes))
}

extern "C" fn recvfrom(
    shared: &Shared,
    fd: c_int,
    buffer: usize,
    len: usize,
    flags: c_int,
    _address: usize,
    _address_len: usize,
) -> isize {
    recv(shared, fd, buffer, len, flags)
}

extern "C" fn recvmsg(shared: &Shared, fd: c_int, message: usize, flags: c_int) -> isize {
    if flags & libc::MSG_ERRQUEUE != 0 {
        // Nothing is ever in it.
        return answer(Err::<isize, _>(Errno(libc::EAGAIN)));
    }
    let header = match read::<msghdr>(message) {
        Ok(header) => header,
        Err(error) => return answer(Err::<isize, _>(error)),
    };
    let (list, count) = (header.msg_iov as usize, header.msg_iovlen);
    let received = match memory::room(list, count) {
        Ok(most) => receive(shared, fd, most, flags, |bytes| memory::scatter(list, count, bytes)),
        Err(error) => answer(Err::<isize, _>(error)),
    };
    if received < 0 {
        return received;
    }
    match put_control(message, &header, &shared.with(|world| world.control(fd))) {
        Ok(()) => received,
        Err(error) => answer(Err::<isize, _>(error)),
    }
}

/// Tells what goes with the bytes of a message, as far as there is room for it.
fn put_control(message: usize, header: &msghdr, control: &[u8]) -> Answer<()> {
    let control = if control.len() <= header.msg_controllen { control } else { &[] };
    copy_out(header.msg_control as usize, control)?;
    copy_out(message + offset_of!(msghdr, msg_controllen), &control.len().to_ne_bytes())
}

/// Writes; a part counts when the rest would have to wait or fails. `to` is where to connect with what fits into the SYN.
fn transmit(shared: &Shared, fd: c_int, bytes: Answer<Vec<u8>>, flags: c_int, to: Option<SocketAddrV4>) -> isize {
    let sent = bytes.and_then(|bytes| {
        let mut done = 0;
        let first: Answer<(Option<Duration>, Option<usize>)> = shared.with(|world| {
            if to.is_some() && world.is_connecting(fd) {
                return Err(Errno(libc::EALREADY));
            }
            let socket = world.socket(fd)?;
            let wait = socket.write_wait(flags);
            let remote = match (&socket.role, to) {
                (Role::Deferred(remote), _) => Some(*remote),
                (Role::Fresh | Role::Bound(_), to) => to,
                _ => None,
            };
            let Some(remote) = remote else { return Ok((wait, None)) };
            Ok((wait, Some(world.connect_with(fd, remote, &bytes)?)))
        });
        let (wait, taken) = first?;
        let mut opened = taken.is_none();
        if let Some(taken) = taken {
            done = taken;
            match wait {
                None if taken == 0 => return Err(Errno(libc::EINPROGRESS)),
                None => return Ok(taken),
                Some(_) => {}
            }
        }
        let written = shared.wait(wait, |world| {
            if !opened {
                opened = match world.connected(fd) {
                    Poll::Ready(Ok(())) => true,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    // The machine is to know that the rest waits.
                    Poll::Pending if done < bytes.len() => return world.write(fd, &bytes, &mut done, flags),
                    Poll::Pending => return Poll::Pending,
                };
            } else if wait.is_none() && world.is_connecting(fd) {
                // Nobody waits for the connection here.
                return Poll::Pending;
            }
            world.write(fd, &bytes, &mut done, flags)
        });
        match written {
            Err(error) if done == 0 || !opened => Err(error),
            _ => Ok(done),
        }
    });
    answer(sent)
}

extern "C" fn write(shared: &Shared, fd: c_int, buffer: usize, len: usize) -> isize {
    transmit(shared, fd, copy_in(buffer, len), 0, None)
}

extern "C" fn writev(shared: &Shared, fd: c_int, list: usize, count: c_int) -> isize {
    transmit(shared, fd, memory::gather(list, count.max(0) as usize), 0, None)
}

extern "C" fn send(shared: &Shared, fd: c_int, buffer: usize, len: usize, flags: c_int) -> isize {
    transmit(shared, fd, copy_in(buffer, len), flags, None)
}

extern "C" fn sendto(
    shared: &Shared,
    fd: c_int,
    buffer: usize,
    len: usize,
    flags: c_int,
    address: usize,
    address_len: socklen_t,
) -> isize {
    match first_destination(flags, address, address_len) {
        Ok(to) => transmit(shared, fd, copy_in(buffer, len), flags, to),
        Err(error) => answer(Err::<isize, _>(error)),
    }
}

extern "C" fn sendmsg(shared: &Shared, fd: c_int, message: usize, flags: c_int) -> isize {
    let header = match read::<msghdr>(message) {
        Ok(header) => header,
        Err(error) => return answer(Err::<isize, _>(error)),
    };
    let bytes = memory::gather(header.msg_iov as usize, header.msg_iovlen);
    match first_destination(flags, header.msg_name as usize, header.msg_namelen) {
        Ok(to) => transmit(shared, fd, bytes, flags, to),
        Err(error) => answer(Err::<isize, _>(error)),
    }
}

/// Where a write connects to, if it does.
fn first_destination(flags: c_int, address: usize, len: socklen_t) -> Answer<Option<SocketAddrV4>> {
    if flags & libc::MSG_FASTOPEN == 0 {
        return Ok(None);
    }
    match address_in(address, len) {
        Err(Errno(libc::EAFNOSUPPORT)) => Err(Errno(libc::EOPNOTSUPP)),
        address => address.map(Some),
    }
}

extern "C" fn fcntl(shared: &Shared, fd: c_int, command: c_int, argument: usize) -> c_int {
    answer_int(shared.with(|world| {
        let socket = world.socket(fd)?;
        match command {
            libc::F_GETFL => Ok(libc::O_RDWR | if socket.nonblocking { libc::O_NONBLOCK } else { 0 }),
            libc::F_SETFL => {
                socket.nonblocking = argument as c_int & libc::O_NONBLOCK != 0;
                Ok(0)
            }
            _ => Err(Errno(libc::EINVAL)),
        }
    }))
}

extern "C" fn ioctl(shared: &Shared, fd: c_int, request: c_ulong, argument: usize) -> c_int {
    let value = shared.with(|world| world.queued(fd, request));
    done(value.and_then(|value| copy_out(argument, &value.to_ne_bytes())))
}

extern "C" fn close(shared: &Shared, fd: c_int) -> c_int {
    done(shared.with(|world| world.close(fd)))
}

extern "C" fn shutdown(shared: &Shared, fd: c_int, how: c_int) -> c_int {
    done(shared.with(|world| world.shutdown(fd, how)))
}

extern "C" fn getsockopt(shared: &Shared, fd: c_int, level: c_int, name: c_int, value: usize, len: usize) -> c_int {
    done(shared.with(|world| world.option(fd, level, name)).and_then(|bytes| {
        let room = read::<u32>(len)? as usize;
        let count = bytes.len().min(room);
        copy_out(value, &bytes[..count])?;
        copy_out(len, &(count as u32).to_ne_bytes())
    }))
}

extern "C" fn setsockopt(shared: &Shared, fd: c_int, level: c_int, name: c_int, value: usize, len: socklen_t) -> c_int {
    let value = copy_in(value, len as usize);
    done(value.and_then(|value| shared.with(|world| world.set_option(fd, level, name, &value))))
}

extern "C" fn poll(shared: &Shared, list: usize, count: libc::nfds_t, timeout: c_int) -> c_int {
    let at = |index: usize| list + index * size_of::<libc::pollfd>();
    let entries: Answer<Vec<libc::pollfd>> = (0..count as usize).map(|index| read(at(index))).collect();
    let ready = entries.and_then(|mut entries| {
        let look = |world: &mut World| {
            let always = libc::POLLERR | libc::POLLHUP | libc::POLLNVAL;
            for entry in &mut entries {
                entry.revents = world.readiness(entry.fd) & (entry.events | always);
            }
            match entries.iter().filter(|entry| entry.revents != 0).count() {
                0 => Poll::Pending,
                found => Poll::Ready(Ok(found as c_int)),
            }
        };
        let found = match shared.wait(patience(timeout), look) {
            Err(Errno(libc::EAGAIN)) => 0,
            found => found?,
        };
        // The field `revents` is the last.
        for (index, entry) in entries.iter().enumerate() {
            copy_out(at(index) + 6, &entry.revents.to_ne_bytes())?;
        }
        Ok(found)
    });
    answer_int(ready)
}

extern "C" fn netdev_send(shared: &Shared, packet: usize, len: usize) -> c_int {
    done(copy_in(packet, len).map(|bytes| shared.packet(&bytes)))
}

extern "C" fn netdev_receive(shared: &Shared, buffer: usize, len: usize, time: usize) -> c_int {
    done(match shared.next_packet() {
        Some((bytes, at)) => read_usize(len).and_then(|room| {
            copy_out(buffer, &bytes[..bytes.len().min(room)])?;
            copy_out(len, &bytes.len().min(room).to_ne_bytes())?;
            copy_out(time, &((EPOCH * 1_000_000 + at.as_micros()) as i64).to_ne_bytes())
        }),
        None => copy_out(len, &0_usize.to_ne_bytes()),
    })
}

extern "C" fn usleep(shared: &Shared, micros: c_uint) -> c_int {
    shared.sleep(Duration::from_micros(micros.into()));
    0
}

extern "C" fn gettimeofday(shared: &Shared, time: usize, _zone: usize) -> c_int {
    let micros = EPOCH * 1_000_000 + shared.time();
    let parts = [micros / 1_000_000, micros % 1_000_000].map(u64::to_ne_bytes);
    done(copy_out(time, parts.as_flattened()))
}

extern "C" fn epoll_create(shared: &Shared, _size: c_int) -> c_int {
    answer_int(shared.with(|world| world.epoll_create()))
}

extern "C" fn epoll_ctl(shared: &Shared, epoll: c_int, operation: c_int, fd: c_int, event: usize) -> c_int {
    let event = read::<libc::epoll_event>(event).ok().map(|event| (event.events, event.u64));
    done(shared.with(|world| world.epoll_ctl(epoll, operation, fd, event)))
}

extern "C" fn epoll_wait(shared: &Shared, epoll: c_int, list: usize, most: c_int, timeout: c_int) -> c_int {
    let most = most.max(0) as usize;
    let found = match shared.wait(patience(timeout), |world| world.epoll_wait(epoll, most)) {
        Err(Errno(libc::EAGAIN)) => Ok(Vec::new()),
        found => found,
    };
    answer_int(found.and_then(|found| {
        for (index, (events, data)) in found.iter().enumerate() {
            // The structure is packed on x86-64: the data follow the events.
            let at = list + index * size_of::<libc::epoll_event>();
            copy_out(at, &events.to_ne_bytes())?;
            copy_out(at + size_of::<libc::epoll_event>() - 8, &data.to_ne_bytes())?;
        }
        Ok(found.len() as c_int)
    }))
}

extern "C" fn pipe(_: &Shared, _ends: usize) -> c_int {
    done(Err(Errno(libc::ENOSYS)))
}

extern "C" fn splice(
    _: &Shared,
    _from: c_int,
    _from_offset: usize,
    _to: c_int,
    _to_offset: usize,
    _len: usize,
    _flags: c_uint,
) -> isize {
    answer(Err::<isize, _>(Errno(libc::ENOSYS)))
}

/// How long `poll` and `epoll_wait` wait.
fn patience(timeout: c_int) -> Option<Duration> {
    match timeout {
        0 => None,
        millis if millis > 0 => Some(Duration::from_millis(millis as u64)),
        _ => Some(Duration::MAX),
    }
}

fn address_in(address: usize, len: socklen_t) -> Answer<SocketAddrV4> {
    if (len as usize) < size_of::<sockaddr_in>() {
        return Err(Errno(libc::EINVAL));
    }
    let address: sockaddr_in = read(address)?;
    if c_int::from(address.sin_family) != libc::AF_INET {
        return Err(Errno(libc::EAFNOSUPPORT));
    }
    Ok(SocketAddrV4::new(u32::from_be(address.sin_addr.s_addr).into(), u16::from_be(address.sin_port)))
}

fn address_bytes(address: SocketAddrV4) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    bytes[4..8].copy_from_slice(&address.ip().octets());
    bytes
}

fn read_usize(address: usize) -> Answer<usize> {
    let bytes = copy_in(address, size_of::<usize>())?;
    bytes.first_chunk().map(|bytes| usize::from_ne_bytes(*bytes)).ok_or(Errno(libc::EFAULT))
}

/// When the machine's clock was at zero, in seconds since 1970.
const EPOCH: u64 = 1_000_000_000;
