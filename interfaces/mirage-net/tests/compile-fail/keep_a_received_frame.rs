//! A received frame is the device's again after the call.

use core::task::{Context, Waker};

use mirage_net::testing::FakeNet;
use mirage_net::{MacAddress, Net, Receive};

fn main() {
    let mut device = FakeNet::new(MacAddress([2, 0, 0, 0, 0, 1]));
    let (receive, _) = device.split();
    let mut kept: &[u8] = &[];
    let _ = receive.poll_frame(&mut Context::from_waker(Waker::noop()), |frame| kept = frame.bytes);
    println!("{kept:?}");
}
