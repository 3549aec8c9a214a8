//! `--net=socket`: the host's stack.

use alloc::boxed::Box;

use mirage_stack_unix::HostStack;

use super::Network;
use crate::boot::Start;
use crate::network::{Mapped, Reach};
use crate::{Exit, Networked, Stats};

/// Runs `app` on the host's sockets, its services where the forwards say.
pub(super) async fn run<A: Networked>(app: A, network: &Network, start: Start) -> Exit {
    let host = HostStack::new(start.machine.reactor());
    let stack = Mapped::new(host.clone(), network.forwards.clone());
    let reach = Reach::Forwarded(network.forwards.clone());
    app.run(stack, start.context.with_network(reach, Box::new(Sockets(host)))).await
}

/// What the host's stack counts.
struct Sockets(HostStack);

impl Stats for Sockets {
    fn each(&self, visit: &mut dyn FnMut(&str, u64)) {
        let counters = self.0.counters();
        visit("tcp.connections", counters.tcp_connections);
        visit("tcp.accepted", counters.tcp_accepted);
        visit("tcp.opened", counters.tcp_opened);
        visit("udp.sockets", counters.udp_sockets);
    }
}
