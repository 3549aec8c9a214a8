//! The device.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsFd as _;
use std::rc::Rc;

use mirage_net::{MacAddress, Net, Stats};
use mirage_unix::{Reactor, Registered};

use crate::kernel::{Interface, Offloads};
use crate::ring::Ring;
use crate::shared::Shared;
use crate::{Options, TapReceive, TapTransmit, kernel};

/// One end of a virtual cable; the other end is an interface of the Linux kernel.
#[derive(Debug)]
pub struct Tap {
    receive: TapReceive,
    transmit: TapTransmit,
    shared: Rc<Shared>,
}

impl Tap {
    /// Opens the tap device `name` (1 to 15 bytes), whose tasks are woken by `reactor`.
    ///
    /// A device that the administrator made beforehand (`ip tuntap add tap0 mode tap user me`) needs no privileges; where
    /// there is none, one is made, which needs `CAP_NET_ADMIN`, and goes away with the `Tap`. Its MTU is what the
    /// interface has now.
    ///
    /// # Errors
    /// Those of the kernel: `PermissionDenied`, `ResourceBusy` when another process has it open, `NotFound` without
    /// `/dev/net/tun`.
    pub fn open(reactor: &Reactor, name: &str, options: Options) -> io::Result<Self> {
        let fd = kernel::open(name, options.offloads)?;
        let offloads = if options.offloads { kernel::negotiate(&fd)? } else { Offloads::default() };
        let interface = Interface::new(name)?;
        let mtu = interface.mtu()?;
        let mac = options.mac.map_or_else(random_mac, Ok)?;
        let ring = RefCell::new(Ring::new(fd.as_fd()));
        let shared = Rc::new(Shared {
            fd: Registered::new(reactor, fd)?,
            with_header: options.offloads,
            gone: Cell::new(false),
            stuck: Cell::new(false),
            stats: Cell::default(),
            ring,
        });
        Ok(Self {
            receive: TapReceive::new(shared.clone(), mtu),
            transmit: TapTransmit::new(shared.clone(), interface, mac, mtu, offloads, options.queue_bytes),
            shared,
        })
    }
}

impl Net for Tap {
    type Receive = TapReceive;
    type Transmit = TapTransmit;

    #[inline]
    fn split(&mut self) -> (&mut TapReceive, &mut TapTransmit) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        self.shared.stats.get()
    }
}

fn random_mac() -> io::Result<MacAddress> {
    let mut bits = [0; 6];
    getrandom::fill(&mut bits)?;
    Ok(MacAddress::local(bits))
}
