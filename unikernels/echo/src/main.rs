#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "unix"), no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod chargen;
mod datagrams;
mod keepalive;
mod streams;

use alloc::boxed::Box;
use alloc::format;

use mirage_platform::stack::{Keepalive, ListenOptions, SocketAddr, Stack, TcpOptions};
use mirage_platform::{About, App, Argument, Arguments, BadArgument, Context, Exit, Networked, Permits};

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

    fn new(arguments: &Arguments) -> Result<Self, BadArgument> {
        let keepalive = arguments.get::<keepalive::Typed>(&KEEPALIVE)?.map(|typed| typed.0);
        Ok(Self { connections: arguments.require(&CONNECTIONS)?, keepalive })
    }
}

impl Networked for Echo {
    const FORWARDS: &'static [&'static str] = &["7007:7", "udp:7007:7", "7009:9", "udp:7009:9", "7019:19"];

    async fn run<S: Stack + 'static>(self, stack: S, context: Context) -> Exit {
        match start(&stack, &context, &self) {
            Ok(()) => core::future::pending().await,
            Err(error) => {
                context.print(&format!("echo: {error}"));
                Exit::FAILURE
            }
        }
    }
}

/// Opens every service and starts its task.
fn start<S: Stack + 'static>(stack: &S, context: &Context, echo: &Echo) -> Result<(), Box<dyn core::error::Error>>
where
    S::Error: 'static,
{
    use mirage_platform::network::Service;
    use streams::{Share, serve};

    let tcp = TcpOptions { keepalive: echo.keepalive, ..TcpOptions::default() };
    let listen = |port| stack.listen(any(port), ListenOptions { tcp, ..ListenOptions::default() });
    // In a small machine no stranger may use up what there is: half of it for the three services that keep connections.
    let memory = context.free_memory().map(|memory| memory / 6);
    let share = Share::of(memory, echo.connections);
    let lines = memory.map_or(share, |memory| Share::with_buffer(memory, chargen::MEMORY, echo.connections));
    let permits = |share: Share| Permits::new(share.connections);
    let serving = |name: &str, at: Service| {
        let place = context.outside_text(at).unwrap_or_default();
        context.print(&format!("echo: {name} at {place}"));
    };
    context.spawn(serve(listen(ECHO)?, context.clone(), permits(share), move |stream| {
        streams::echo(stream, share.buffer)
    }))?;
    serving("TCP echo", Service::tcp(ECHO));
    context.spawn(serve(listen(DISCARD)?, context.clone(), permits(share), move |stream| {
        streams::discard(stream, share.buffer)
    }))?;
    serving("TCP discard", Service::tcp(DISCARD));
    context.spawn(serve(listen(CHARGEN)?, context.clone(), permits(lines), chargen::chargen))?;
    serving("TCP chargen", Service::tcp(CHARGEN));
    context.spawn(datagrams::echo(stack.bind(any(ECHO))?, context.clone()))?;
    serving("UDP echo", Service::udp(ECHO));
    context.spawn(datagrams::discard(stack.bind(any(DISCARD))?, context.clone()))?;
    serving("UDP discard", Service::udp(DISCARD));
    Ok(())
}

fn any(port: u16) -> SocketAddr {
    ([0, 0, 0, 0], port).into()
}

mirage_platform::main!(Echo: Networked);
