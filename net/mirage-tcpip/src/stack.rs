//! The stack: one device below, sockets above.

use core::cell::Cell;
use core::net::Ipv4Addr;
use core::task::Context;

use mirage_clock::Instant;
use mirage_net::{Disconnected, Net, Stats, Transmit};
use mirage_protocols::Ipv4Cidr;
use mirage_tcp::{Profile, Standard};
use rand_core::CryptoRng;

use crate::datagrams::{self, Datagrams, Send};
use crate::device::Device;
use crate::ingress::Came;
use crate::machines::Machines;
use crate::sockets::Shared;
use crate::{Config, Counters, Storage, egress, ingress};

/// A TCP/IP stack on one network device.
///
/// Everything takes `&self`: tasks share it by reference. It does nothing by itself: [`run`](Self::run) or
/// [`poll`](Self::poll) moves frames. Not `Sync`: one stack lives on one core.
pub struct Stack<'s, N, P: Profile = Standard> {
    pub(crate) shared: Shared<'s, P>,
    pub(crate) device: Device<N>,
    /// The way out of datagrams, once there is a socket.
    datagrams: Cell<Option<Send<N, P>>>,
}

/// What [`Stack::poll`] did and what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The budget was used up: poll again soon, after letting others run.
    pub more: bool,
    /// When to poll again even if nothing arrives; `None` when nothing is due.
    pub next: Option<Instant>,
}

impl<'s, N: Net, P: Profile> Stack<'s, N, P> {
    /// A stack on `device` that has no address yet.
    ///
    /// `random` seeds the keys of hash tables, initial sequence numbers, ports and cookies.
    pub fn new(mut device: N, config: Config, storage: Storage<'s, P>, random: &mut impl CryptoRng) -> Self {
        let mac = device.split().1.mac();
        Self {
            shared: Shared::new(Machines::new(mac, config, storage, random)),
            device: Device::new(device),
            datagrams: Cell::new(None),
        }
    }

    /// Takes an address: announces it and routes its network to the link.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfResources`](crate::ErrorKind::OutOfResources) when the table of addresses is full.
    pub fn add_address(&self, address: Ipv4Cidr) -> Result<(), crate::ErrorKind> {
        let result = self.shared.machines().add_address(address);
        self.shared.wake();
        result
    }

    /// Sends everything that has no closer route to `gateway`.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfResources`](crate::ErrorKind::OutOfResources) when the table of routes is full.
    pub fn set_gateway(&self, gateway: Ipv4Addr) -> Result<(), crate::ErrorKind> {
        self.shared.machines().set_gateway(gateway)
    }

    /// Moves what can be moved: frames from the device up, timers that are due, what waits down to the device.
    ///
    /// Does a bounded amount of work. `cx`'s waker is woken when there is more to do before [`Progress::next`].
    ///
    /// # Errors
    /// [`Disconnected`] when the device is gone for good.
    pub fn poll(&self, now: Instant, cx: &mut Context<'_>) -> Result<Progress, Disconnected> {
        let mut device = self.device.lent();
        let machines = &mut *self.shared.undisturbed();
        machines.attend(cx.waker());
        // Who polls by hand polls seldom.
        let came = take_in::<P, true>(machines, &mut *device, now, cx)?;
        let progress = self.send_out(machines, &mut *device, cx)?;
        Ok(Progress { more: came == Came::Some || progress.more, ..progress })
    }

    /// The first half of [`poll`](Self::poll), for who reads and writes between the two: frames from the device up, and timers
    /// that are due. One segment then carries the answer, the acknowledgement and the window that reading has opened.
    ///
    /// Does a bounded amount of work. `cx`'s waker is woken when a frame comes; what handles leave to be sent wakes it too, and
    /// waits for [`poll_egress`](Self::poll_egress). A device that tells of few frames may be asked for less than it has: what
    /// is left is told by [`Came::Some`].
    ///
    /// # Errors
    /// [`Disconnected`] when the device is gone for good.
    pub fn poll_ingress(&self, now: Instant, cx: &mut Context<'_>) -> Result<Came, Disconnected> {
        let mut device = self.device.lent();
        let machines = &mut *self.shared.undisturbed();
        machines.attend(cx.waker());
        take_in::<P, false>(machines, &mut *device, now, cx)
    }

    /// The second half of [`poll`](Self::poll): what waits down to the device.
    ///
    /// # Errors
    /// [`Disconnected`] when the device is gone for good.
    pub fn poll_egress(&self, now: Instant, cx: &mut Context<'_>) -> Result<Progress, Disconnected> {
        let mut device = self.device.lent();
        let machines = &mut *self.shared.undisturbed();
        machines.attend(cx.waker());
        machines.now = now;
        let progress = self.send_out(machines, &mut *device, cx)?;
        if P::STRAIGHT {
            machines.rounds.answered(device.stats().tx_bytes);
        }
        Ok(progress)
    }

    // In its place: a program either polls or runs the halves.
    #[inline(always)]
    fn send_out(
        &self,
        machines: &mut Machines<'s, P>,
        device: &mut N,
        cx: &mut Context<'_>,
    ) -> Result<Progress, Disconnected> {
        let more = egress::transmit(machines, device, self.datagrams.get(), cx)?;
        device.split().1.flush();
        let next = machines.find_next();
        Ok(Progress { more, next: (next != Instant::MAX).then_some(next) })
    }

    /// From now on there may be datagrams.
    pub(crate) fn speak_udp(&self) {
        self.shared.machines().datagrams = Some(Datagrams::SPOKEN);
        self.datagrams.set(Some(datagrams::send::<N, P>));
    }

    /// What was received, sent and discarded so far.
    pub fn counters(&self) -> Counters {
        self.shared.machines().counted(self.device_stats()).counters()
    }

    /// What went through the device.
    pub fn device_stats(&self) -> Stats {
        self.device.lent().stats()
    }
}

/// `WHOLE`: the device is asked until there are no more.
fn take_in<P: Profile, const WHOLE: bool>(
    machines: &mut Machines<'_, P>,
    device: &mut impl Net,
    now: Instant,
    cx: &mut Context<'_>,
) -> Result<Came, Disconnected> {
    machines.now = now;
    let (receive, transmit) = device.split();
    let came = ingress::receive::<P, WHOLE>(machines, receive, transmit, cx)?;
    // Afterwards: a machine that stood still has answers at the door to what seems overdue.
    machines.handle_timeouts(now);
    Ok(came)
}
