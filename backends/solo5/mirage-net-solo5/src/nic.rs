//! The device.

use alloc::rc::Rc;
use core::fmt;

use mirage_net::{MacAddress, Net, Stats};
use mirage_solo5::{Abi, Kind, Machine};

use crate::shared::Shared;
use crate::{NicReceive, NicTransmit};

/// A network device that the tender attached.
#[derive(Debug)]
pub struct Nic<A> {
    receive: NicReceive<A>,
    transmit: NicTransmit<A>,
    shared: Rc<Shared<A>>,
}

impl<A: Abi> Nic<A> {
    /// Opens the network device that the manifest calls `name`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(machine: &Machine<A>, name: &str) -> Result<Self, OpenError> {
        let (handle, kind) = machine.devices().find(name).ok_or(OpenError::Absent)?;
        let Kind::Net { mac, mtu } = kind else { return Err(OpenError::NotANetwork) };
        if !machine.claim(handle) {
            return Err(OpenError::Busy);
        }
        let mtu = usize::from(mtu);
        let shared = Rc::new(Shared::new(machine.clone(), handle));
        Ok(Self {
            receive: NicReceive::new(shared.clone(), mtu + LINK + TAG),
            transmit: NicTransmit::new(shared.clone(), MacAddress(mac), mtu),
            shared,
        })
    }
}

impl<A: Abi> Net for Nic<A> {
    type Receive = NicReceive<A>;
    type Transmit = NicTransmit<A>;

    #[inline]
    fn split(&mut self) -> (&mut NicReceive<A>, &mut NicTransmit<A>) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

/// Why a device was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The manifest has no device of this name: declare it.
    Absent,
    /// The device of this name is a disk.
    NotANetwork,
    /// It is open already.
    Busy,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "no such device in the manifest",
            Self::NotANetwork => "not a network device",
            Self::Busy => "the device is open already",
        })
    }
}

impl core::error::Error for OpenError {}

/// Link header.
pub(crate) const LINK: usize = 14;
/// A tag that may stand in it.
pub(crate) const TAG: usize = 4;
