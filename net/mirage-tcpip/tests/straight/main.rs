//! The straight ways through the walk take less time and do nothing else: a stack with them and one without answer the same
//! frames with the same frames, and count the same, whatever the network does.

mod datagrams;
mod streams;

use core::net::Ipv4Addr;

use mirage_net::MacAddress;
use mirage_random::{EntropyError, EntropySource};
use mirage_tcpip::{Profile, Standard};

/// Everything, the long way round.
#[derive(Clone, Copy, Debug)]
enum Winding {}

impl Profile for Winding {
    type Congestion = <Standard as Profile>::Congestion;
    const STRAIGHT: bool = false;
}

/// Bytes that look like chance, and the same each time.
#[derive(Clone)]
struct Counting(u64);

impl Counting {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl EntropySource for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.iter_mut().for_each(|byte| *byte = (self.next() >> 7) as u8);
        Ok(())
    }
}

const OURS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const PEERS: [Ipv4Addr; 3] = [Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3), Ipv4Addr::new(192, 0, 2, 1)];
const STATIONS: [MacAddress; 3] =
    [MacAddress([2, 0, 0, 0, 0, 2]), MacAddress([2, 0, 0, 0, 0, 3]), MacAddress([2, 0, 0, 0, 0, 4])];
const MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);

fn frame(from: MacAddress, to: MacAddress, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&to.octets()[..], &from.octets(), &ethertype.to_be_bytes(), payload].concat()
}

/// An answer of ARP: `ip` is at `mac`.
fn answer(ip: Ipv4Addr, mac: MacAddress) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, 2];
    let body = [&head[..], &mac.octets(), &ip.octets(), &MAC.octets(), &OURS.octets()].concat();
    frame(mac, MAC, 0x0806, &body)
}
