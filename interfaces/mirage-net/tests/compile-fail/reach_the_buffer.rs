//! The buffer behind the writer cannot be had.

use mirage_net::testing::FakeNet;
use mirage_net::{MacAddress, Net, Outgoing, Transmit};

fn main() {
    let mut device = FakeNet::new(MacAddress([2, 0, 0, 0, 0, 1]));
    let (_, transmit) = device.split();
    let _ = transmit.send(Outgoing::new(100), |frame| println!("{:?}", frame.buffer));
}
