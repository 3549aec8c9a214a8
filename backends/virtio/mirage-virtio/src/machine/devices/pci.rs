//! The PCI bus.

use virtio_drivers::transport::pci::bus::{ConfigurationAccess, DeviceFunction};

use crate::machine::cpu::port::Port;

/// The way to the configuration of devices by two ports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports;

impl ConfigurationAccess for Ports {
    fn read_word(&self, function: DeviceFunction, register: u8) -> u32 {
        ADDRESS.write32(address(function, register));
        DATA.read32()
    }

    fn write_word(&mut self, function: DeviceFunction, register: u8, data: u32) {
        ADDRESS.write32(address(function, register));
        DATA.write32(data);
    }

    unsafe fn unsafe_clone(&self) -> Self {
        *self
    }
}

/// Whether there is such a bus.
pub(super) fn is_there() -> bool {
    exists(FIRST)
}

/// All functions of all devices, also behind bridges as the firmware numbered them; none without a bus.
pub(super) fn functions() -> impl Iterator<Item = DeviceFunction> {
    Functions { at: is_there().then_some(FIRST), buses: Buses::default() }
}

/// A walk over all places where a function may be.
#[derive(Clone, Copy, Debug)]
struct Functions {
    /// The next place to look at.
    at: Option<DeviceFunction>,
    /// What lies behind the bridges seen so far.
    buses: Buses,
}

impl Functions {
    /// The place after `at`, where a function is or not. Bridges lead to higher numbers only, so this ends.
    fn after(&self, at: DeviceFunction, is_there: bool) -> Option<DeviceFunction> {
        let more = at.function > 0 || is_there && header(at) & MANY_FUNCTIONS != 0;
        match at {
            DeviceFunction { function: 0..7, .. } if more => Some(DeviceFunction { function: at.function + 1, ..at }),
            DeviceFunction { device: 0..31, .. } => Some(DeviceFunction { device: at.device + 1, function: 0, ..at }),
            _ => self.buses.after(at.bus).map(|bus| DeviceFunction { bus, ..FIRST }),
        }
    }
}

impl Iterator for Functions {
    type Item = DeviceFunction;

    fn next(&mut self) -> Option<DeviceFunction> {
        loop {
            let at = self.at?;
            let is_there = exists(at);
            if let Some(bus) = is_there.then(|| bus_behind(at)).flatten() {
                self.buses.add(bus);
            }
            self.at = self.after(at, is_there);
            if is_there {
                return Some(at);
            }
        }
    }
}

fn exists(function: DeviceFunction) -> bool {
    Ports.read_word(function, 0) != u32::MAX
}

fn header(function: DeviceFunction) -> u8 {
    Ports.read_word(function, 0xc).to_le_bytes()[2]
}

/// The bus behind a function that is a bridge.
fn bus_behind(function: DeviceFunction) -> Option<u8> {
    (header(function) & !MANY_FUNCTIONS == BRIDGE).then(|| Ports.read_word(function, 0x18).to_le_bytes()[1])
}

/// A set of numbers of buses.
#[derive(Clone, Copy, Debug, Default)]
struct Buses([u64; 4]);

impl Buses {
    fn add(&mut self, bus: u8) {
        self.0[usize::from(bus) / 64] |= 1 << (bus % 64);
    }

    /// The next after `bus`.
    fn after(&self, bus: u8) -> Option<u8> {
        (bus..=u8::MAX).skip(1).find(|next| self.0[usize::from(*next) / 64] >> (next % 64) & 1 == 1)
    }
}

fn address(function: DeviceFunction, register: u8) -> u32 {
    let DeviceFunction { bus, device, function } = function;
    1 << 31 | u32::from(bus) << 16 | u32::from(device) << 11 | u32::from(function) << 8 | u32::from(register & 0xfc)
}

const FIRST: DeviceFunction = DeviceFunction { bus: 0, device: 0, function: 0 };
const MANY_FUNCTIONS: u8 = 0x80;
const BRIDGE: u8 = 1;

// SAFETY: the configuration of a device does not touch memory by itself.
const ADDRESS: Port = unsafe { Port::new(0xcf8) };
// SAFETY: as above.
const DATA: Port = unsafe { Port::new(0xcfc) };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_parts_where_the_bridge_wants_them() {
        assert_eq!(address(DeviceFunction { bus: 1, device: 2, function: 3 }, 0x43), 0x8001_1340);
        assert_eq!(address(DeviceFunction { bus: 255, device: 31, function: 7 }, 0xfc), 0x80ff_fffc);
    }

    #[test]
    fn buses_come_in_the_order_of_their_numbers() {
        let mut buses = Buses::default();
        for bus in [200, 1, 64, 255, 1] {
            buses.add(bus);
        }
        let all: Vec<u8> = core::iter::successors(buses.after(0), |bus| buses.after(*bus)).collect();
        assert_eq!(all, [1, 64, 200, 255]);
    }
}
