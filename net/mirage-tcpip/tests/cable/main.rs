//! Two stacks on a cable.

mod end;
mod still;

mod keeping;
mod order;
mod profiles;
mod quiet;
mod rounds;
mod turns;

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use lab::Dice;
use mirage_net::Net;
use mirage_tcpip::{Config, Heap, Ipv4Cidr, Profile, Sizes, Stack, Storage};

/// A stack at `10.0.0.last`.
fn stack<N: Net>(device: N, last: u8) -> Stack<'static, N> {
    stack_of(device, last)
}

/// A stack at `10.0.0.last` of a profile.
fn stack_of<N: Net, P: Profile>(device: N, last: u8) -> Stack<'static, N, P> {
    let storage = Storage::build(Sizes::default(), &mut Heap);
    let stack = Stack::new(device, Config::default(), storage, &mut Dice(last.into()));
    stack.add_address(Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, last), 24).expect("a prefix")).expect("there is room");
    stack
}

/// A port of the second stack.
fn at(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), port)
}
