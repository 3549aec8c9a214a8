//! The networks a process can have.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;

use mirage_protocols::Ipv4Cidr;
use mirage_stack_unix::HostStack;

use super::boot::Start;
use super::host::complain;
use crate::network::{Forward, Forwards, Mapped, Reach};
use crate::{Argument, Arguments, BadArgument, Exit, Networked, Stats};

/// Which network.
const NET: Argument =
    Argument::value("net", "NET", "user: our own stack behind a gateway in this process; tap:NAME: our own stack on a tap device; socket: the host's stack")
        .or("socket");
const IPV4: Argument = Argument::value("ipv4", "ADDRESS/PREFIX", "address of our own stack").or("10.0.2.15/24");
const GATEWAY: Argument =
    Argument::value("ipv4-gateway", "ADDRESS", "default gateway of our own stack [user: 10.0.2.2]");
const FORWARD: Argument =
    Argument::list("forward", "[udp:][ADDRESS:]HOST_PORT:PORT", "where the host offers a service (user, socket)");

/// What [`Network::new`] reads.
pub(super) const ARGUMENTS: &[Argument] = &[NET, IPV4, GATEWAY, FORWARD];

/// What the arguments say about the network.
#[derive(Debug)]
pub(super) struct Network {
    kind: Kind,
    #[expect(dead_code, reason = "for the kinds that are not built yet")]
    address: Ipv4Cidr,
    #[expect(dead_code, reason = "for the kinds that are not built yet")]
    gateway: Option<Ipv4Addr>,
    forwards: Forwards,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Our own stack; a gateway in the same process forwards to and from the host's sockets.
    User,
    /// Our own stack on a tap device.
    Tap(String),
    /// The host's stack.
    Socket,
}

/// The text names no network.
struct KindError;

impl fmt::Display for KindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected user, socket or tap:NAME")
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        match (text, text.strip_prefix("tap:")) {
            ("user", _) => Ok(Self::User),
            ("socket", _) => Ok(Self::Socket),
            // IFNAMSIZ counts the zero at the end.
            (_, Some(name)) if (1..16).contains(&name.len()) => Ok(Self::Tap(name.into())),
            _ => Err(KindError),
        }
    }
}

impl Network {
    /// Reads the arguments; `defaults` are the application's own forwards.
    pub(super) fn new(arguments: &Arguments, defaults: &[&str]) -> Result<Self, BadArgument> {
        let parse = |text: &&str| text.parse().map_err(|error| BadArgument::new(*text, error));
        let defaults = defaults.iter().map(parse).collect::<Result<alloc::vec::Vec<Forward>, _>>()?;
        Ok(Self {
            kind: arguments.require(&NET)?,
            address: arguments.require(&IPV4)?,
            gateway: arguments.get(&GATEWAY)?,
            forwards: Forwards::new(defaults.into_iter().chain(arguments.all(&FORWARD)?)),
        })
    }
}

/// Runs `app` on the network that was asked for. The application is compiled once for each kind.
pub(super) async fn run<A: Networked>(app: A, network: Network, start: Start<'_>) -> Exit {
    match network.kind {
        Kind::User => net_user(app, network, start).await,
        Kind::Tap(_) => net_tap(app, network, start).await,
        Kind::Socket => net_socket(app, network, start).await,
    }
}

async fn net_socket<A: Networked>(app: A, network: Network, start: Start<'_>) -> Exit {
    let host = HostStack::new(start.reactor);
    let stack = Mapped::new(host.clone(), network.forwards.clone());
    let context = start.context.with_network(Reach::Forwarded(network.forwards), Rc::new(Sockets(host)));
    app.run(stack, context).await
}

async fn net_user<A: Networked>(_app: A, _network: Network, start: Start<'_>) -> Exit {
    complain(&format!("{}: --net=user: not built yet; use --net=socket", start.about.name));
    Exit::FAILURE
}

async fn net_tap<A: Networked>(_app: A, _network: Network, start: Start<'_>) -> Exit {
    complain(&format!("{}: --net=tap: not built yet; use --net=socket", start.about.name));
    Exit::FAILURE
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
