//! The gateway: our own stack at the far end of the cable, the host's sockets behind it.

use std::convert::Infallible;
use std::fmt;

use futures_util::future::{Either, select};
use mirage_clock::{Monotonic, Sleep};
use mirage_net::Net;
use mirage_protocols::Ipv4Cidr;
use mirage_random::CryptoRng;
use mirage_stack::ErrorKind;
use mirage_tcpip::{Sizes, Stack, Storage};

use crate::tasks::{Starter, Tasks};
use crate::{Config, Forward, Transport, tcp, udp};

/// Why the gateway ended or did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A forward's port on the host could not be had.
    Listen {
        /// The forward.
        forward: Forward,
        /// Why not.
        reason: ErrorKind,
    },
    /// The gateway's own stack refused its configuration.
    Stack(ErrorKind),
    /// The cable was pulled: the guest is gone.
    Disconnected,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { forward, reason } => write!(f, "cannot listen on {}: {reason}", forward.host),
            Self::Stack(reason) => write!(f, "the gateway's stack: {reason}"),
            Self::Disconnected => f.write_str("the guest is gone"),
        }
    }
}

impl std::error::Error for Error {}

/// A network for one guest, made of the host's ordinary sockets. Needs no privileges.
///
/// `N` is the far end of the guest's cable, `H` the host's sockets.
pub struct Gateway<N, H> {
    stack: Stack<'static, N>,
    host: H,
    config: Config,
}

impl<N: Net, H: mirage_stack::Stack> Gateway<N, H> {
    /// A gateway at the far end of the guest's cable.
    ///
    /// # Errors
    /// [`Error::Stack`] when its own stack refuses the addresses.
    pub fn new(device: N, host: H, config: Config, random: &mut impl CryptoRng) -> Result<Self, Error> {
        let sizes =
            Sizes { connections: config.connections, udp_sockets: config.conversations + 16, ..Sizes::default() };
        let stack_config = mirage_tcpip::Config { accept_any: true, ..mirage_tcpip::Config::default() };
        let stack = Stack::new(device, stack_config, Storage::allocate(sizes), random);
        let dns = Ipv4Cidr::new(config.dns, config.gateway.prefix()).unwrap_or(config.gateway);
        stack.add_address(config.gateway).and_then(|()| stack.add_address(dns)).map_err(Error::Stack)?;
        Ok(Self { stack, host, config })
    }

    /// Moves bytes for as long as the guest is there.
    ///
    /// # Errors
    /// [`Error::Listen`] when a forward's port is taken, [`Error::Disconnected`] when the guest is gone.
    pub async fn run(&self, clock: &impl Monotonic, sleep: &impl Sleep) -> Result<Infallible, Error> {
        // Each connection and conversation is a task, and so are the forwards and the two doors outwards.
        let doors = self.config.forwards.len() + 2;
        let tasks = Tasks::new(self.config.connections + self.config.conversations + doors);
        for forward in &self.config.forwards {
            self.forward(*forward, clock, sleep, tasks.starter())?;
        }
        tcp::outwards(&self.stack, &self.host, &self.config, tasks.starter()).map_err(Error::Stack)?;
        udp::outwards(&self.stack, &self.host, &self.config, clock, sleep, tasks.starter()).map_err(Error::Stack)?;
        let stack = std::pin::pin!(self.stack.run(clock, sleep));
        let tasks = std::pin::pin!(tasks.run());
        match select(stack, tasks).await {
            Either::Left(_) | Either::Right(_) => Err(Error::Disconnected),
        }
    }

    fn forward<'a>(
        &'a self,
        forward: Forward,
        clock: &'a impl Monotonic,
        sleep: &'a impl Sleep,
        tasks: Starter<'a>,
    ) -> Result<(), Error> {
        match forward.transport {
            Transport::Tcp => tcp::inwards(&self.stack, &self.host, &self.config, forward, tasks),
            Transport::Udp => udp::inwards(&self.stack, &self.host, &self.config, forward, clock, sleep, tasks),
        }
        .map_err(|reason| Error::Listen { forward, reason })
    }
}
