//! `--forward`: which port of this machine leads to which port of the application.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Connections to `host` are the application's at `port`. The same text as the boot argument `--forward` of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Forward {
    /// TCP or UDP.
    pub(crate) protocol: Protocol,
    /// Where this machine listens; only itself can connect if no address is given.
    pub(crate) host: SocketAddr,
    /// The application's port.
    pub(crate) port: u16,
}

/// TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// The text is no forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAForward;

impl Protocol {
    /// In small letters.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl FromStr for Forward {
    type Err = NotAForward;

    fn from_str(text: &str) -> Result<Self, NotAForward> {
        let (protocol, rest) = match (text.strip_prefix("tcp:"), text.strip_prefix("udp:")) {
            (Some(rest), _) => (Protocol::Tcp, rest),
            (_, Some(rest)) => (Protocol::Udp, rest),
            _ => (Protocol::Tcp, text),
        };
        let (host, port) = rest.rsplit_once(':').ok_or(NotAForward)?;
        let host = match host.contains(':') {
            true => host.parse().map_err(|_| NotAForward)?,
            false => SocketAddr::new(LOOPBACK, host.parse().map_err(|_| NotAForward)?),
        };
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(NotAForward)?;
        Ok(Self { protocol, host, port })
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, host, port } = self;
        if *protocol == Protocol::Udp {
            f.write_str("udp:")?;
        }
        match host.ip() == LOOPBACK {
            true => write!(f, "{}:{port}", host.port()),
            false => write!(f, "{host}:{port}"),
        }
    }
}

impl fmt::Display for NotAForward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected [udp:][ADDRESS:]PORT:PORT, like 8080:80 or udp:0.0.0.0:5353:53")
    }
}

impl std::error::Error for NotAForward {}

impl TryFrom<String> for Forward {
    type Error = NotAForward;

    fn try_from(text: String) -> Result<Self, NotAForward> {
        text.parse()
    }
}

impl From<Forward> for String {
    fn from(forward: Forward) -> Self {
        forward.to_string()
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwards_are_read_and_written_alike() {
        for text in ["8080:80", "udp:5353:53", "0.0.0.0:8080:80", "udp:[::1]:5353:53"] {
            assert_eq!(text.parse::<Forward>().expect(text).to_string(), text);
        }
        for nonsense in ["", "80", ":", "8080:", ":80", "8080:0", "70000:80", "sctp:1:2", "localhost:1:2"] {
            assert_eq!(nonsense.parse::<Forward>(), Err(NotAForward), "{nonsense}");
        }
    }
}
