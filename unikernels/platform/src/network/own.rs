//! Our own stack on some device.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::net::Ipv4Addr;

use mirage_net::Net;
use mirage_protocols::Ipv4Cidr;
use mirage_random::SeededGenerator;
use mirage_tcp::Profile;
use mirage_tcpip::{Config, Stack, Storage};

use crate::boot::until;
use crate::{Context, Exit, Networked, Stats};

/// Why there is no network, or no more: one line for the console.
pub(crate) struct Failure(pub(crate) Box<dyn fmt::Display>);

impl<E: fmt::Display + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

/// A stack on `device`, for good: tasks may hold it.
pub(crate) fn stack<N: Net, P: Profile>(
    device: N,
    (address, gateway): (Ipv4Cidr, Option<Ipv4Addr>),
    random: &mut SeededGenerator,
    storage: Storage<'static, P>,
    config: Config,
) -> Result<&'static Stack<'static, N, P>, Failure> {
    // For good, also where it comes to nothing: an image without its network ends.
    let stack: &'static Stack<'static, N, P> = Box::leak(Box::new(Stack::new(device, config, storage, random)));
    stack.add_address(address)?;
    if let Some(gateway) = gateway {
        stack.set_gateway(gateway)?;
    }
    Ok(stack)
}

/// Runs `app` on `stack`, which `context` knows.
pub(crate) async fn run<A: Networked, N: Net, P: Profile>(
    app: A,
    stack: &'static Stack<'static, N, P>,
    context: Context,
) -> Result<Exit, Failure> {
    let timer = context.timer().clone();
    match until(app.run(stack, context), stack.run(&timer, &timer)).await {
        Ok(exit) => Ok(exit),
        Err(Err(disconnected)) => Err(disconnected.into()),
    }
}

/// What our stack counts. For the reference, which has nothing to drop: what drops a stack is never needed.
impl<N: Net, P: Profile> Stats for &'static Stack<'static, N, P> {
    fn each(&self, visit: &mut dyn FnMut(&str, u64)) {
        let mut name_and_value = |layer: &'static str, name: &'static str, value| show(visit, layer, name, value);
        self.counters().visit(&mut name_and_value as &mut dyn FnMut(_, _, _));
    }
}

/// Out of line: there are fifty calls.
#[inline(never)]
pub(crate) fn show(visit: &mut dyn FnMut(&str, u64), layer: &str, name: &str, value: u64) {
    let mut full = String::from(layer);
    full.extend([".", name]);
    visit(&full, value);
}
