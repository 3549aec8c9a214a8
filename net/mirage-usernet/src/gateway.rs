//! The gateway: our own stack at the far end of the cable, the host's sockets behind it.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::convert::Infallible;
use core::net::{IpAddr, SocketAddr};
use core::pin::pin;

use futures_util::future::{Either, select};
use mirage_clock::{Monotonic, Sleep};
use mirage_net::Net;
use mirage_protocols::Ipv4Cidr;
use mirage_random::CryptoRng;
use mirage_stack::{Error as _, TcpListener as _, UdpSocket as _};
use mirage_tcpip::{Sizes, Stack, Storage};

use crate::conversation::Table;
use crate::counters::Tally;
use crate::tasks::Tasks;
use crate::time::ClockAndTimer;
use crate::{Config, Counters, Error, Forward, Transport, tcp, udp};

/// A network for one guest, made of the host's ordinary sockets. Needs no privileges.
///
/// `N` is the far end of the guest's cable, `H` the host's sockets.
pub struct Gateway<N, H: mirage_stack::Stack> {
    pub(crate) stack: Stack<'static, N>,
    pub(crate) host: H,
    pub(crate) config: Config,
    pub(crate) tally: Tally,
    doors: Cell<Vec<(Door<H>, u16)>>,
}

/// An open port of the host.
enum Door<H: mirage_stack::Stack> {
    Tcp(H::TcpListener),
    Udp(H::UdpSocket),
}

impl<N: Net, H: mirage_stack::Stack> Gateway<N, H> {
    /// A gateway at the far end of the guest's cable. The ports of the forwards are open from now on: what comes waits.
    ///
    /// # Errors
    /// [`Error::Listen`] when a forward's port is taken, [`Error::Stack`] when its own stack refuses the addresses.
    pub fn new(device: N, host: H, mut config: Config, random: &mut impl CryptoRng) -> Result<Self, Error> {
        let mut doors = Vec::new();
        for forward in &mut config.forwards {
            let door = Door::open(&host, forward).map_err(|reason| Error::Listen { forward: *forward, reason })?;
            doors.push((door, forward.guest));
        }
        let mut stack_config = mirage_tcpip::Config { accept_any: true, ..mirage_tcpip::Config::default() };
        for bound in [&mut stack_config.udp.receive, &mut stack_config.udp.send] {
            (bound.bytes, bound.datagrams) = (QUEUED_BYTES, QUEUED_DATAGRAMS);
        }
        let stack = Stack::new(device, stack_config, Storage::allocate(sizes(&config)), random);
        let dns = Ipv4Cidr::new(config.dns, config.gateway.prefix()).unwrap_or(config.gateway);
        for address in [config.gateway, dns].into_iter().take(if dns == config.gateway { 1 } else { 2 }) {
            stack.add_address(address).map_err(Error::Stack)?;
        }
        Ok(Self { stack, host, config, tally: Tally::default(), doors: Cell::new(doors) })
    }

    /// The forwards, with the ports that were chosen for those that asked for port 0.
    pub fn forwards(&self) -> &[Forward] {
        &self.config.forwards
    }

    /// What passes through now, and what was done and refused so far.
    pub fn counters(&self) -> Counters {
        self.tally.counters()
    }

    /// What the gateway's own stack received, sent and discarded.
    pub fn stack_counters(&self) -> mirage_tcpip::Counters {
        self.stack.counters()
    }

    /// Moves bytes for as long as the guest is there. Dropping the future ends everything that passes and closes the
    /// forwards' ports; they do not open again.
    ///
    /// # Errors
    /// [`Error::Disconnected`] when the guest is gone.
    pub async fn run(&self, clock: &impl Monotonic, sleep: &impl Sleep) -> Result<Infallible, Error> {
        let time = &ClockAndTimer { clock, sleep };
        let listener = self.stack.listen_any(tcp::listen_options()).map_err(Error::Stack)?;
        let socket = self.stack.bind_any().map_err(Error::Stack)?;
        let tasks = Tasks::new();
        tasks.starter().start(tcp::outwards(self, listener, time, tasks.starter()));
        tasks.starter().start(udp::outwards(self, socket, time, tasks.starter()));
        let table = Rc::new(Table::new(self.config.conversations));
        for (door, port) in self.doors.take() {
            let guest = SocketAddr::new(IpAddr::V4(self.config.guest), port);
            match door {
                Door::Tcp(door) => tasks.starter().start(tcp::inwards(self, door, guest, time, tasks.starter())),
                Door::Udp(door) => {
                    tasks.starter().start(udp::inwards(self, door, guest, table.clone(), time, tasks.starter()));
                }
            }
        }
        match select(pin!(self.stack.run(clock, sleep)), pin!(tasks.run())).await {
            Either::Left((Err(_disconnected), _)) => Err(Error::Disconnected),
            Either::Left((Ok(never), _)) | Either::Right((never, _)) => match never {},
        }
    }
}

impl<H: mirage_stack::Stack> Door<H> {
    /// Opens the host's port, and notes which it is.
    fn open(host: &H, forward: &mut Forward) -> Result<Self, mirage_stack::ErrorKind> {
        let (door, local) = match forward.transport {
            Transport::Tcp => {
                let door = host.listen(forward.host, tcp::listen_options()).map_err(|error| error.kind())?;
                let local = door.local_addr();
                (Self::Tcp(door), local)
            }
            Transport::Udp => {
                let door = host.bind(forward.host).map_err(|error| error.kind())?;
                let local = door.local_addr();
                (Self::Udp(door), local)
            }
        };
        forward.host.set_port(local.port());
        Ok(door)
    }
}

/// What the gateway's own stack needs for as much as the gateway lets through.
fn sizes(config: &Config) -> Sizes {
    // A connection that has ended for us is the stack's until the guest knows, and one that is refused needs a place too.
    let connections = config.connections + config.connections / 4 + 16;
    // One for each conversation inwards and the doors, and as many again that are closed and still have to send.
    let udp_sockets = 2 * config.conversations.max(1) + 64;
    // One socket takes all that the guest sends outwards: 1 MiB, of which it may have a quarter.
    let udp_blocks = 4 * QUEUED_DATAGRAMS;
    Sizes { connections, udp_sockets, udp_blocks, ..Sizes::default() }
}

/// How many datagrams may wait in a socket of the gateway's own stack.
const QUEUED_DATAGRAMS: usize = 1024;

/// How many bytes may wait in a socket of the gateway's own stack.
const QUEUED_BYTES: usize = 256 * 1024;
