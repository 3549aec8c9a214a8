//! One end of a cable to a guest: a Unix socket that carries a frame in each packet.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Context, Poll};

use mirage_net::{
    Capabilities, Disconnected, Frame, FrameWriter, Link, MacAddress, Net, Outgoing, Receive, ReceivedChecksum,
    SendError, Stats, Transmit,
};
use mirage_unix::{Direction, Reactor, Registered};
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};

/// Link header and a tag that may stand in it.
const LINK: usize = 14 + 4;
/// What is asked of the kernel for frames under way in each direction, in bytes; it gives what `net.core.wmem_max` allows.
const UNDER_WAY: usize = 4 << 20;

/// Both ends of a new cable, non-blocking. A full one takes no more frames and loses none.
pub(super) fn ends() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    for end in [&near, &far] {
        set_socket_send_buffer_size(end, UNDER_WAY)?;
        set_socket_recv_buffer_size(end, UNDER_WAY)?;
    }
    Ok((near, far))
}

/// An end as a network device.
///
/// Checksums of what comes are not looked at: between two processes of one machine no bit flips.
#[derive(Debug)]
pub(super) struct Cable {
    receive: CableReceive,
    transmit: CableTransmit,
    shared: Rc<Shared>,
}

/// The half that lends received frames, from one buffer.
#[derive(Debug)]
pub(super) struct CableReceive {
    shared: Rc<Shared>,
    buffer: Box<[u8]>,
}

/// The half that sends. A frame goes to the kernel at once; one that the kernel does not take waits.
#[derive(Debug)]
pub(super) struct CableTransmit {
    shared: Rc<Shared>,
    mac: MacAddress,
    mtu: usize,
}

#[derive(Debug)]
struct Shared {
    fd: Registered<OwnedFd>,
    outgoing: RefCell<Pending>,
    /// The other end was closed.
    gone: Cell<bool>,
    stats: Cell<Stats>,
}

/// The frame that the kernel did not take yet.
#[derive(Debug)]
struct Pending {
    buffer: Box<[u8]>,
    /// Its length; 0 when there is none.
    len: usize,
}

impl Cable {
    /// A device for packets of `mtu` bytes, whose tasks are woken by `reactor`.
    pub(super) fn new(reactor: &Reactor, end: OwnedFd, mac: MacAddress, mtu: usize) -> io::Result<Self> {
        let buffer = || vec![0; mtu + LINK].into_boxed_slice();
        let shared = Rc::new(Shared {
            fd: Registered::new(reactor, end)?,
            outgoing: RefCell::new(Pending { buffer: buffer(), len: 0 }),
            gone: Cell::new(false),
            stats: Cell::default(),
        });
        let receive = CableReceive { shared: shared.clone(), buffer: buffer() };
        let transmit = CableTransmit { shared: shared.clone(), mac, mtu };
        Ok(Self { receive, transmit, shared })
    }
}

impl Net for Cable {
    type Receive = CableReceive;
    type Transmit = CableTransmit;

    #[inline]
    fn split(&mut self) -> (&mut CableReceive, &mut CableTransmit) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        self.shared.stats.get()
    }
}

impl Receive for CableReceive {
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        let Self { shared, buffer } = self;
        if shared.gone.get() {
            return Poll::Ready(Err(Disconnected));
        }
        // Of a longer packet than fits only the beginning comes: no stack takes it for whole.
        let received = shared.fd.poll_io(cx, Direction::Read, |fd| Ok(recv(fd, &mut **buffer, RecvFlags::empty())?.0));
        let len = match received {
            Poll::Ready(Ok(len)) if len > 0 => len,
            // The end, or a packet of no bytes, which is no frame either.
            Poll::Ready(_) => {
                shared.gone.set(true);
                return Poll::Ready(Err(Disconnected));
            }
            Poll::Pending => {
                // Whoever waits for frames is also who sends the next.
                if !shared.is_idle() && shared.poll_drain(cx).is_ready() {
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        };
        shared.count(|stats| {
            stats.rx_frames += 1;
            stats.rx_bytes += len as u64;
        });
        let bytes = buffer.get(..len).unwrap_or_default();
        Poll::Ready(Ok(take(Frame { bytes, checksum: ReceivedChecksum::Verified, segment_size: None })))
    }
}

impl Transmit for CableTransmit {
    fn mac(&self) -> MacAddress {
        self.mac
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn link(&self) -> Link {
        if self.shared.gone.get() { Link::Down } else { Link::Up }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        if !self.shared.gone.get() && !self.shared.is_idle() && self.shared.poll_drain(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(if self.shared.gone.get() { Err(Disconnected) } else { Ok(()) })
    }

    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        debug_assert!(frame.checksum.is_none() && frame.segment_size.is_none(), "an offload that is not there");
        if !self.shared.is_idle() {
            self.shared.drain();
        }
        if self.shared.gone.get() {
            return Err(SendError::Disconnected);
        }
        if !self.shared.is_idle() {
            return Err(SendError::Full);
        }
        {
            let mut pending = self.shared.outgoing.borrow_mut();
            let Pending { buffer, len } = &mut *pending;
            let buffer = buffer.get_mut(..frame.len).ok_or(SendError::TooLong)?;
            *len = FrameWriter::fill(buffer, fill).ok_or(SendError::TooLong)?.len();
        }
        self.shared.drain();
        Ok(())
    }

    fn flush(&mut self) {
        if !self.shared.is_idle() {
            self.shared.drain();
        }
    }
}

impl Shared {
    /// Whether no frame waits.
    fn is_idle(&self) -> bool {
        self.outgoing.borrow().len == 0
    }

    /// Hands the waiting frame to the kernel, if it takes it now.
    fn drain(&self) {
        loop {
            match self.write() {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                result => return self.written(result),
            }
        }
    }

    /// Hands the waiting frame to the kernel, or has `cx`'s waker woken when it can be tried again.
    fn poll_drain(&self, cx: &mut Context<'_>) -> Poll<()> {
        let written = self.fd.poll_io(cx, Direction::Write, |_| Ok(self.write()?));
        written.map(|result| self.written(result.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))))
    }

    fn write(&self) -> Result<usize, Errno> {
        let pending = self.outgoing.borrow();
        send(self.fd.get_ref(), &pending.buffer[..pending.len], SendFlags::NOSIGNAL)
    }

    /// The kernel took the frame or refused it.
    fn written(&self, result: Result<usize, Errno>) {
        self.outgoing.borrow_mut().len = 0;
        self.count(|stats| match result {
            Ok(len) => {
                stats.tx_frames += 1;
                stats.tx_bytes += len as u64;
            }
            Err(_) => stats.tx_dropped += 1,
        });
        // Anything else is the kernel out of memory: one frame is lost, as on a wire.
        if let Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) = result {
            self.gone.set(true);
        }
    }

    fn count(&self, change: impl FnOnce(&mut Stats)) {
        let mut stats = self.stats.get();
        change(&mut stats);
        self.stats.set(stats);
    }
}

#[cfg(test)]
mod tests {
    use mirage_clock::{Duration, Monotonic};
    use mirage_net::testing::{examine_disconnected, examine_pair};
    use mirage_unix::MonotonicClock;

    use super::*;

    fn pair(reactor: &Reactor, mtu: usize) -> [Cable; 2] {
        let (near, far) = ends().expect("two descriptors");
        let cable = |end, number| {
            Cable::new(reactor, end, MacAddress([2, 0, 0, 0, 0, number]), mtu).expect("room in the epoll set")
        };
        [cable(near, 1), cable(far, 2)]
    }

    #[test]
    fn two_ends_pass_the_exam_of_devices() {
        for mtu in [1_500, 65_000] {
            let reactor = Reactor::new().expect("descriptors");
            let [mut near, mut far] = pair(&reactor, mtu);
            let settle = || {
                reactor.wait(Some(MonotonicClock.now() + Duration::from_millis(1))).expect("waited");
            };
            examine_pair(&mut near, &mut far, settle);
        }
    }

    #[test]
    fn an_end_whose_other_end_is_gone_says_so() {
        let reactor = Reactor::new().expect("descriptors");
        let [mut near, far] = pair(&reactor, 1_500);
        drop(far);
        examine_disconnected(&mut near);
    }

    #[test]
    fn a_full_cable_keeps_every_frame_that_it_took() {
        let reactor = Reactor::new().expect("descriptors");
        let [mut near, mut far] = pair(&reactor, 1_500);
        let mut sent = 0_u32;
        while near.split().1.send(Outgoing::new(1_000), |frame| {
            frame.put(&sent.to_be_bytes());
            frame.put_zeroes(996);
        }) == Ok(())
        {
            sent += 1;
        }
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(near.split().1.poll_ready(&mut cx).is_pending());
        for number in 0..sent {
            let first = |frame: Frame<'_>| frame.bytes.first_chunk().copied().map(u32::from_be_bytes);
            assert_eq!(far.split().0.poll_frame(&mut cx, first), Poll::Ready(Ok(Some(number))));
            near.split().1.flush();
        }
        assert!(near.split().1.poll_ready(&mut cx).is_ready());
    }
}
