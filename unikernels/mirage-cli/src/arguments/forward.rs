//! `--forward`: which port of this machine leads to which port of the application.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use mirage_platform::network::{self, ForwardError, Protocol};
use serde::{Deserialize, Serialize};

/// A forward that can be written down again, as the text that images take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Forward(pub(crate) network::Forward);

impl Forward {
    /// `tcp` or `udp`.
    pub(crate) const fn protocol(&self) -> &'static str {
        match self.0.service.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

impl FromStr for Forward {
    type Err = ForwardError;

    fn from_str(text: &str) -> Result<Self, ForwardError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network::Forward { host, service } = self.0;
        if service.protocol == Protocol::Udp {
            f.write_str("udp:")?;
        }
        match host.ip() == LOOPBACK {
            true => write!(f, "{}:{}", host.port(), service.port),
            false => write!(f, "{host}:{}", service.port),
        }
    }
}

impl TryFrom<String> for Forward {
    type Error = ForwardError;

    fn try_from(text: String) -> Result<Self, ForwardError> {
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
        assert!("localhost:1:2".parse::<Forward>().is_err());
    }
}
