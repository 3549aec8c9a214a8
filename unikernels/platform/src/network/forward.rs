//! Which port of the host leads to which port of the application.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::str::FromStr;

/// TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What an application listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Its port, as the application names it.
    pub port: u16,
}

impl Service {
    /// A TCP service.
    pub const fn tcp(port: u16) -> Self {
        Self { protocol: Protocol::Tcp, port }
    }

    /// A UDP service.
    pub const fn udp(port: u16) -> Self {
        Self { protocol: Protocol::Udp, port }
    }
}

/// Connections to `host` are the application's at `service`. As text `[tcp:|udp:][ADDRESS:]HOST_PORT:PORT`; without an
/// address only the host itself can connect, host port 0 is one that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Where the host listens.
    pub host: SocketAddr,
    /// Whom it leads to.
    pub service: Service,
}

/// The text is not a forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardError;

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected [tcp:|udp:][ADDRESS:]HOST_PORT:PORT, like 8080:80 or udp:0.0.0.0:5353:53")
    }
}

impl core::error::Error for ForwardError {}

impl FromStr for Forward {
    type Err = ForwardError;

    fn from_str(text: &str) -> Result<Self, ForwardError> {
        let (protocol, rest) = match (text.strip_prefix("tcp:"), text.strip_prefix("udp:")) {
            (Some(rest), _) => (Protocol::Tcp, rest),
            (_, Some(rest)) => (Protocol::Udp, rest),
            _ => (Protocol::Tcp, text),
        };
        let (host, port) = rest.rsplit_once(':').ok_or(ForwardError)?;
        let host = match host.rsplit_once(':') {
            Some(_) => host.parse().map_err(|_| ForwardError)?,
            None => SocketAddr::new(LOOPBACK, host.parse().map_err(|_| ForwardError)?),
        };
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(ForwardError)?;
        Ok(Self { host, service: Service { protocol, port } })
    }
}

/// What is forwarded, one entry for each service. A handle: clones are the same table.
#[derive(Clone, Debug, Default)]
pub struct Forwards(Rc<RefCell<Vec<Forward>>>);

impl Forwards {
    /// A table of `forwards`; a later one replaces an earlier one for the same service.
    pub fn new(forwards: impl IntoIterator<Item = Forward>) -> Self {
        let table = Self::default();
        for forward in forwards {
            table.set(forward);
        }
        table
    }

    /// Adds `forward`, in the place of another for the same service.
    pub fn set(&self, forward: Forward) {
        let mut table = self.0.borrow_mut();
        match table.iter_mut().find(|known| known.service == forward.service) {
            Some(known) => *known = forward,
            None => table.push(forward),
        }
    }

    /// Where the host offers `service`.
    pub fn host(&self, service: Service) -> Option<SocketAddr> {
        self.0.borrow().iter().find(|forward| forward.service == service).map(|forward| forward.host)
    }

    /// Every entry.
    pub fn to_vec(&self) -> Vec<Forward> {
        self.0.borrow().clone()
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn forward(text: &str) -> (Protocol, alloc::string::String, u16) {
        let forward: Forward = text.parse().expect(text);
        (forward.service.protocol, forward.host.to_string(), forward.service.port)
    }

    #[test]
    fn forwards_are_read_as_the_table_says() {
        assert_eq!(forward("8080:80"), (Protocol::Tcp, "127.0.0.1:8080".into(), 80));
        assert_eq!(forward("tcp:0:80"), (Protocol::Tcp, "127.0.0.1:0".into(), 80));
        assert_eq!(forward("udp:5353:53"), (Protocol::Udp, "127.0.0.1:5353".into(), 53));
        assert_eq!(forward("0.0.0.0:8080:80"), (Protocol::Tcp, "0.0.0.0:8080".into(), 80));
        assert_eq!(forward("udp:[::1]:5353:53"), (Protocol::Udp, "[::1]:5353".into(), 53));
        for nonsense in ["", "80", ":", "8080:", ":80", "8080:0", "70000:80", "sctp:1:2", "localhost:1:2", "::1:1:2:x"]
        {
            assert_eq!(nonsense.parse::<Forward>(), Err(ForwardError), "{nonsense}");
        }
    }

    #[test]
    fn a_later_forward_replaces_an_earlier_one_for_the_same_service() {
        let parse = |text: &str| text.parse::<Forward>().expect(text);
        let table = Forwards::new(["8080:80", "udp:1:80", "9090:80"].map(parse));
        assert_eq!(table.to_vec(), ["9090:80", "udp:1:80"].map(parse));
        assert_eq!(table.host(Service::tcp(81)), None);
    }
}
