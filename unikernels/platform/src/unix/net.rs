//! The networks a process can have.

mod socket;
mod tap;
mod user;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;

use mirage_protocols::Ipv4Cidr;

use crate::boot::Start;
use crate::context::complain;
use crate::network::{Forward, Forwards};
use crate::{Argument, Arguments, BadArgument, Exit, Networked};

/// Which network.
const NET: Argument =
    Argument::value("net", "NET", "user: our own stack behind a gateway in this process; tap:NAME[,plain]: our own stack on a tap device, plain: without offloads; socket: the host's stack")
        .or("user");
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
    address: Ipv4Cidr,
    gateway: Option<Ipv4Addr>,
    forwards: Forwards,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Our own stack; a gateway in the same process forwards to and from the host's sockets.
    User,
    /// Our own stack on a tap device, whose kernel takes over what it can unless it shall be a plain one.
    Tap { name: String, plain: bool },
    /// The host's stack.
    Socket,
}

/// The text names no network.
struct KindError;

impl fmt::Display for KindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected user, socket or tap:NAME[,plain]")
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        match (text, text.strip_prefix("tap:")) {
            ("user", _) => Ok(Self::User),
            ("socket", _) => Ok(Self::Socket),
            (_, Some(tap)) => {
                let name = tap.strip_suffix(",plain");
                let (name, plain) = (name.unwrap_or(tap), name.is_some());
                // IFNAMSIZ counts the zero at the end.
                let fits = (1..16).contains(&name.len());
                fits.then(|| Self::Tap { name: name.into(), plain }).ok_or(KindError)
            }
            _ => Err(KindError),
        }
    }
}

impl Network {
    /// Reads the arguments; `defaults` are the application's own forwards.
    pub(super) fn new(arguments: &Arguments, defaults: &[&str]) -> Result<Self, BadArgument> {
        let parse = |text: &&str| text.parse().map_err(|error| BadArgument::new(text, &error));
        let defaults = defaults.iter().map(parse).collect::<Result<Vec<Forward>, _>>()?;
        Ok(Self {
            kind: arguments.require(&NET)?,
            address: arguments.require(&IPV4)?,
            gateway: arguments.get(&GATEWAY)?,
            forwards: Forwards::new(defaults.into_iter().chain(arguments.all(&FORWARD)?)),
        })
    }
}

/// Runs `app` on the network that was asked for. The application is compiled once for each kind.
pub(super) async fn run<A: Networked>(app: A, network: Network, start: Start) -> Exit {
    let about = start.about;
    let run = async {
        match &network.kind {
            Kind::User => user::run(app, &network, start).await,
            Kind::Tap { name, plain } => tap::run(app, name, *plain, &network, start).await,
            Kind::Socket => Ok(socket::run(app, &network, start).await),
        }
    };
    run.await.unwrap_or_else(|failure| {
        complain(about.name, &*failure.0);
        Exit::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_has_a_name_and_may_be_plain() {
        let tap = |name: &str, plain| Ok(Kind::Tap { name: name.into(), plain });
        let parsed = |text: &str| text.parse::<Kind>().map_err(drop);
        assert_eq!(parsed("tap:tap0"), tap("tap0", false));
        assert_eq!(parsed("tap:tap0,plain"), tap("tap0", true));
        for text in ["tap:", "tap:,plain", "tap:0123456789abcdef", "tap", "plain"] {
            assert_eq!(parsed(text), Err(()), "{text}");
        }
    }
}
