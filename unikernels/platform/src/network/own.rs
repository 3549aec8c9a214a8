//! Our own stack on some device.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use core::net::Ipv4Addr;

use mirage_net::Net;
use mirage_protocols::Ipv4Cidr;
use mirage_random::SeededGenerator;
use mirage_tcpip::{Config, Sizes, Stack, Storage};

use super::Reach;
use crate::boot::until;
use crate::{Context, Exit, Networked, Stats};

/// Why there is no network, or no more: one line for the console.
pub(crate) type Failure = Box<dyn core::error::Error>;

/// Runs `app` on a stack on `device`.
pub(crate) async fn run<A: Networked, N: Net + 'static>(
    app: A,
    device: N,
    (address, gateway): (Ipv4Cidr, Option<Ipv4Addr>),
    reach: Reach,
    context: Context,
    random: &mut SeededGenerator,
    sizes: Sizes,
) -> Result<Exit, Failure> {
    let stack = Stack::new(device, Config::default(), Storage::allocate(sizes), random);
    stack.add_address(address)?;
    if let Some(gateway) = gateway {
        stack.set_gateway(gateway)?;
    }
    // The one stack of this image, for as long as that runs: tasks may hold it.
    let stack: &'static Stack<'static, N> = Box::leak(Box::new(stack));
    let timer = context.timer().clone();
    let context = context.with_network(reach, Rc::new(Own(stack)));
    match until(app.run(stack, context), stack.run(&timer, &timer)).await {
        Ok(exit) => Ok(exit),
        Err(Err(disconnected)) => Err(disconnected.into()),
    }
}

/// What our stack counts.
struct Own<N: 'static>(&'static Stack<'static, N>);

impl<N: Net> Stats for Own<N> {
    fn each(&self, visit: &mut dyn FnMut(&str, u64)) {
        let mut name_and_value = |layer: &'static str, name: &'static str, value| show(visit, layer, name, value);
        self.0.counters().visit(&mut name_and_value as &mut dyn FnMut(_, _, _));
    }
}

/// Out of line: there are fifty calls.
#[inline(never)]
fn show(visit: &mut dyn FnMut(&str, u64), layer: &str, name: &str, value: u64) {
    let mut full = String::from(layer);
    full.push('.');
    full.push_str(name);
    visit(&full, value);
}
