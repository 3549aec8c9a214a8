//! The device.

use alloc::rc::Rc;
use core::fmt;

use mirage_net::{MacAddress, Net, Stats};
use mirage_virtio::Bell;
use mirage_virtqueue::{Queue, accept, begin, finish, reset};
use virtio_drivers::Hal;
use virtio_drivers::transport::{DeviceType, Transport};

use crate::features::{CONFIG_MAC, CONFIG_MTU, MAC, MTU, STATUS};
use crate::plan::Plan;
use crate::shared::Shared;
use crate::{Error, NicReceive, NicTransmit, Options};

/// Numbers of the two queues.
const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;

/// A virtio network device.
pub struct Nic<H: Hal, T: Transport, B: Bell> {
    receive: NicReceive<H, T, B>,
    transmit: NicTransmit<H, T, B>,
    shared: Rc<Shared<T, B>>,
}

impl<H: Hal, T: Transport, B: Bell> Nic<H, T, B> {
    /// Agrees with the device behind `transport` on what it shall do and lets it begin. `bell` rings when it wants
    /// attention.
    ///
    /// # Errors
    /// [`Error`]; the device is then reset.
    pub fn new(mut transport: T, bell: B, options: Options) -> Result<Self, Error> {
        if transport.device_type() != DeviceType::Network {
            return Err(Error::NotANetworkDevice);
        }
        let agreed = agree(&mut transport, &options);
        if agreed.is_err() {
            reset(&mut transport);
        }
        let Agreed { plan, mac, incoming, outgoing } = agreed?;

        let shared = Rc::new(Shared::new(transport, bell, plan.features & STATUS != 0));
        // From here on the halves reset the device when they are dropped.
        let mut receive = NicReceive::new(shared.clone(), incoming, &plan)?;
        let transmit = NicTransmit::new(shared.clone(), outgoing, &plan, mac, options.transmit_bytes)?;
        shared.with(finish);
        receive.offer();
        Ok(Self { receive, transmit, shared })
    }
}

/// What driver and device agreed on.
struct Agreed<H: Hal> {
    plan: Plan,
    mac: MacAddress,
    incoming: Queue<H>,
    outgoing: Queue<H>,
}

fn agree<H: Hal>(transport: &mut impl Transport, options: &Options) -> Result<Agreed<H>, Error> {
    let offered = begin(transport);
    let mtu = if offered & MTU != 0 { transport.read_config_space::<u16>(CONFIG_MTU).ok() } else { None };
    let plan = Plan::new(offered, mtu, transport.max_queue_size(RECEIVE), options)?;
    let mac = options.mac.or_else(|| address(transport, offered)).ok_or(Error::NoAddress)?;
    accept(transport, plan.features)?;
    let descriptors = plan.buffers.next_power_of_two() * plan.pieces();
    let incoming = Queue::new(transport, RECEIVE, descriptors, plan.features)?;
    let descriptors = plan.frames(options).next_power_of_two() * plan.pieces();
    let outgoing = Queue::new(transport, TRANSMIT, descriptors, plan.features)?;
    Ok(Agreed { plan, mac, incoming, outgoing })
}

/// The device's own address, if it has one.
fn address(transport: &impl Transport, offered: u64) -> Option<MacAddress> {
    if offered & MAC == 0 {
        return None;
    }
    let address = MacAddress(transport.read_config_space(CONFIG_MAC).ok()?);
    address.is_unicast().then_some(address)
}

impl<H: Hal, T: Transport, B: Bell> Net for Nic<H, T, B> {
    type Receive = NicReceive<H, T, B>;
    type Transmit = NicTransmit<H, T, B>;

    #[inline]
    fn split(&mut self) -> (&mut Self::Receive, &mut Self::Transmit) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl<H: Hal, T: Transport, B: Bell> fmt::Debug for Nic<H, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nic")
    }
}
