//! The writer cannot be kept beyond the call.

use mirage_net::testing::FakeNet;
use mirage_net::{MacAddress, Net, Outgoing, Transmit};

fn main() {
    let mut device = FakeNet::new(MacAddress([2, 0, 0, 0, 0, 1]));
    let (_, transmit) = device.split();
    let mut kept = None;
    let _ = transmit.send(Outgoing::new(100), |frame| kept = Some(frame));
    drop(kept);
}
