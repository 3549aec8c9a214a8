#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "unix"), no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod bytes;
mod connection;
mod counters;
mod number;
mod pages;

use alloc::rc::Rc;

use mirage_platform::clock::Duration;
use mirage_platform::network::Service;
use mirage_platform::stack::{ListenOptions, Stack, TcpListener, TcpOptions};
use mirage_platform::{About, App, Argument, Arguments, BadArgument, Context, Exit, Networked, Permits, tcpip};

use pages::Pages;

/// The port of HTTP.
const HTTP: u16 = 80;

const CONNECTIONS: Argument = Argument::value(
    "connections",
    "N",
    "connections at once, fewer in small memory; further ones wait with their peers",
)
.or("2048");

struct Web {
    connections: usize,
}

impl App for Web {
    const ABOUT: About = About {
        name: "web",
        version: env!("CARGO_PKG_VERSION"),
        summary: "serves a page, its own counters, hashes and bytes without end over HTTP",
    };
    const ARGUMENTS: &'static [Argument] = &[CONNECTIONS];

    fn new(arguments: &Arguments) -> Result<Self, BadArgument> {
        Ok(Self { connections: arguments.number(&CONNECTIONS)? })
    }
}

impl Networked for Web {
    const FORWARDS: &'static [&'static str] = &["8080:80"];
    type TcpIp = tcpip::Tiny;

    async fn run<S: Stack + 'static>(self, stack: S, context: Context) -> Exit {
        // Answers go out in few, large writes, so there is nothing for Nagle's algorithm to collect.
        let tcp = TcpOptions { nodelay: true, ..TcpOptions::default() };
        let listening = stack.listen(([0, 0, 0, 0], HTTP).into(), ListenOptions { tcp, ..ListenOptions::default() });
        let mut listener = match listening {
            Ok(listener) => listener,
            Err(error) => return context.fail("web: cannot listen", &error),
        };
        if let Some(place) = context.outside_text(Service::tcp(HTTP)) {
            context.print_all(&["web: http://", &place, "/"]);
        }
        let pages = Rc::new(Pages::new(context.clone()));
        // In a small machine no stranger may use up what there is.
        let most = context.free_memory().map_or(self.connections, |memory| memory / 2 / connection::MEMORY);
        let permits = Permits::new(self.connections.min(most).max(1));
        loop {
            let permit = permits.take().await;
            match listener.accept().await {
                Ok(stream) => {
                    let pages = pages.clone();
                    let connection = async move {
                        connection::serve(stream, &pages).await;
                        drop(permit);
                    };
                    // At the bound on tasks the connection is dropped, which closes it.
                    let _ = context.spawn(connection);
                }
                Err(error) => {
                    mirage_platform::log::warn!("accept: {error}");
                    // Out of something: let others give it back.
                    context.sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

mirage_platform::main!(Web: Networked);
