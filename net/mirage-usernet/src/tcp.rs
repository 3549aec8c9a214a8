//! TCP through the gateway, in and out.

use std::net::{IpAddr, SocketAddr};

use mirage_net::Net;
use mirage_stack::{Error as _, ErrorKind, ListenOptions, Stack as _, TcpListener as _, TcpOptions, TcpStream as _};
use mirage_tcpip::Stack;

use crate::pump::pump;
use crate::tasks::Starter;
use crate::{Config, Forward};

/// What both ends of a pumped connection get: the ends themselves decide what to collect.
const OPTIONS: TcpOptions = TcpOptions { keepalive: None, nodelay: true, user_timeout: None };

/// Lets connections to a port of the host through to the guest.
pub(crate) fn inwards<'a, N: Net, H: mirage_stack::Stack>(
    stack: &'a Stack<'static, N>,
    host: &'a H,
    config: &'a Config,
    forward: Forward,
    tasks: Starter<'a>,
) -> Result<(), ErrorKind> {
    let options = ListenOptions { tcp: OPTIONS, ..ListenOptions::default() };
    let mut listener = host.listen(forward.host, options).map_err(|error| error.kind())?;
    let guest = SocketAddr::new(IpAddr::V4(config.guest), forward.guest);
    let starter = tasks.clone();
    tasks.start(async move {
        while let Ok(outside) = listener.accept().await {
            starter.start(async move {
                match stack.connect(guest, OPTIONS).await {
                    Ok(inside) => pump(inside, outside).await,
                    Err(reason) => {
                        log::debug!("the guest did not take a connection to {guest}: {reason}");
                        outside.abort();
                    }
                }
            });
        }
    });
    Ok(())
}

/// Lets the guest's connections out.
pub(crate) fn outwards<'a, N: Net, H: mirage_stack::Stack>(
    stack: &'a Stack<'static, N>,
    host: &'a H,
    config: &'a Config,
    tasks: Starter<'a>,
) -> Result<(), ErrorKind> {
    let mut listener = stack.listen_any(ListenOptions { tcp: OPTIONS, ..ListenOptions::default() })?;
    let starter = tasks.clone();
    tasks.start(async move {
        while let Ok(inside) = listener.accept().await {
            let Some(destination) = config.outside(inside.local_addr()) else {
                inside.abort();
                continue;
            };
            starter.start(async move {
                match host.connect(destination, OPTIONS).await {
                    Ok(outside) => pump(inside, outside).await,
                    Err(reason) => {
                        log::debug!("no connection to {destination}: {reason}");
                        inside.abort();
                    }
                }
            });
        }
    });
    Ok(())
}
