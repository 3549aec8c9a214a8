#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod chargen;
mod datagrams;
mod streams;

use mirage_platform::stack::{ListenOptions, SocketAddr, Stack};
use mirage_platform::{About, App, Argument, Arguments, BadArgument, Context, Exit, Networked, Permits};

/// RFC 862.
const ECHO: u16 = 7;
/// RFC 863.
const DISCARD: u16 = 9;
/// RFC 864.
const CHARGEN: u16 = 19;

const CONNECTIONS: Argument =
    Argument::value("connections", "N", "connections at once to each service; further ones wait with their peers")
        .or("1024");

struct Echo {
    connections: usize,
}

impl App for Echo {
    const ABOUT: About = About {
        name: "echo",
        version: env!("CARGO_PKG_VERSION"),
        summary: "echo (TCP and UDP 7), discard (TCP 9) and chargen (TCP 19)",
    };
    const ARGUMENTS: &'static [Argument] = &[CONNECTIONS];

    fn new(arguments: &Arguments) -> Result<Self, BadArgument> {
        Ok(Self { connections: arguments.require(&CONNECTIONS)? })
    }
}

impl Networked for Echo {
    const FORWARDS: &'static [&'static str] = &["7007:7", "udp:7007:7", "7009:9", "7019:19"];

    async fn run<S: Stack + 'static>(self, stack: S, context: Context) -> Exit {
        match start(&stack, &context, self.connections) {
            Ok(()) => core::future::pending().await,
            Err(error) => {
                context.print(&format!("echo: {error}"));
                Exit::FAILURE
            }
        }
    }
}

/// Opens every service and starts its task.
fn start<S: Stack + 'static>(
    stack: &S,
    context: &Context,
    connections: usize,
) -> Result<(), Box<dyn core::error::Error>>
where
    S::Error: 'static,
{
    use mirage_platform::network::Service;
    use streams::serve;

    let listen = |port| stack.listen(any(port), ListenOptions::default());
    let serving = |name: &str, at: Service| {
        let place = context.outside(at).map_or_else(String::new, |place| place.to_string());
        context.print(&format!("echo: {name} at {place}"));
    };
    context.spawn(serve(listen(ECHO)?, context.clone(), Permits::new(connections), streams::echo))?;
    serving("TCP echo", Service::tcp(ECHO));
    context.spawn(serve(listen(DISCARD)?, context.clone(), Permits::new(connections), streams::discard))?;
    serving("TCP discard", Service::tcp(DISCARD));
    context.spawn(serve(listen(CHARGEN)?, context.clone(), Permits::new(connections), chargen::chargen))?;
    serving("TCP chargen", Service::tcp(CHARGEN));
    context.spawn(datagrams::echo(stack.bind(any(ECHO))?, context.clone()))?;
    serving("UDP echo", Service::udp(ECHO));
    Ok(())
}

fn any(port: u16) -> SocketAddr {
    ([0, 0, 0, 0], port).into()
}

fn main() -> std::process::ExitCode {
    mirage_platform::boot::<Echo>()
}
