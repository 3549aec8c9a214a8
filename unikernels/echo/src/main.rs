#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "unix"), no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod chargen;
mod datagrams;
mod keepalive;
mod streams;

use alloc::boxed::Box;
use core::fmt::Display;

use mirage_platform::clock::Duration;
use mirage_platform::network::Service;
use mirage_platform::stack::{Keepalive, ListenOptions, SocketAddr, Stack, TcpOptions};
use mirage_platform::tcpip;
use mirage_platform::{About, App, Argument, Arguments, BadArgument, Context, Exit, Networked};
use streams::Share;

/// RFC 862.
const ECHO: u16 = 7;
/// RFC 863.
const DISCARD: u16 = 9;
/// RFC 864.
const CHARGEN: u16 = 19;

const CONNECTIONS: Argument = Argument::value(
    "connections",
    "N",
    "connections at once to each service, fewer in small memory; further ones wait with their peers",
)
.or("1024");

const KEEPALIVE: Argument =
    Argument::value("keepalive", "AFTER,INTERVAL,PROBES", "ask idle peers whether they are still there, in seconds");

struct Echo {
    connections: usize,
    keepalive: Option<Keepalive>,
}

impl App for Echo {
    const ABOUT: About = About {
        name: "echo",
        version: env!("CARGO_PKG_VERSION"),
        summary: "echo (TCP and UDP 7), discard (TCP and UDP 9) and chargen (TCP 19)",
    };
    const ARGUMENTS: &'static [Argument] = &[CONNECTIONS, KEEPALIVE];
    // All there would be to tell is that something ran out, and an image waits then.
    const LOGS: bool = cfg!(feature = "unix");

    fn new(arguments: &Arguments) -> Result<Self, BadArgument> {
        let keepalive = arguments.parsed_by(&KEEPALIVE, keepalive::parse, keepalive::EXPECTED)?;
        Ok(Self { connections: arguments.number(&CONNECTIONS)?, keepalive })
    }
}

impl Networked for Echo {
    const FORWARDS: &'static [&'static str] = &["7007:7", "udp:7007:7", "7009:9", "udp:7009:9", "7019:19"];
    type TcpIp = tcpip::Tiny;

    async fn run<S: Stack + 'static>(self, stack: S, context: Context) -> Exit {
        if let Err(error) = start(&stack, &context, &self) {
            return context.fail("echo", &error);
        }
        core::future::pending().await
    }
}

/// Opens every service and starts its task.
fn start<S: Stack + 'static>(stack: &S, context: &Context, echo: &Echo) -> Result<(), Failure>
where
    S::Error: 'static,
{
    let tcp = TcpOptions { keepalive: echo.keepalive, ..TcpOptions::default() };
    // In a small machine no stranger may use up what there is: half of it for the three services that keep connections.
    let memory = context.free_memory().map(|memory| memory / 6);
    let share = Share::of(memory, echo.connections);
    let lines = memory.map_or(share, |memory| Share::with_buffer(memory, chargen::MEMORY, echo.connections));
    let serving = |name: &str, at: Service| {
        let place = context.outside_text(at).unwrap_or_default();
        context.print_all(&["echo: ", name, " at ", &place]);
    };
    let streams = [
        (streams::Service::Echo, ECHO, "TCP echo", share),
        (streams::Service::Discard, DISCARD, "TCP discard", share),
        (streams::Service::Chargen, CHARGEN, "TCP chargen", lines),
    ];
    for (service, port, name, share) in streams {
        let listener = stack.listen(any(port), ListenOptions { tcp, ..ListenOptions::default() }).map_err(failure)?;
        context.spawn(streams::serve(listener, context.clone(), service, share)).map_err(failure)?;
        serving(name, Service::tcp(port));
    }
    for (echo, port, name) in [(true, ECHO, "UDP echo"), (false, DISCARD, "UDP discard")] {
        let socket = stack.bind(any(port)).map_err(failure)?;
        context.spawn(datagrams::serve(socket, context.clone(), echo)).map_err(failure)?;
        serving(name, Service::udp(port));
    }
    Ok(())
}

/// Why it cannot start: one line for the console.
type Failure = Box<dyn Display>;

fn failure(error: impl Display + 'static) -> Failure {
    Box::new(error)
}

/// How long others get to give back what there is too little of.
const PAUSE: Duration = Duration::from_millis(100);

fn any(port: u16) -> SocketAddr {
    ([0, 0, 0, 0], port).into()
}

mirage_platform::main!(Echo: Networked);
