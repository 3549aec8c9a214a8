//! Whom the host asks for names.

use std::net::{IpAddr, SocketAddr};

/// The host's first name server, as `resolv.conf(5)` has it; `None` where it has none.
pub fn resolver() -> Option<SocketAddr> {
    first(&std::fs::read_to_string("/etc/resolv.conf").ok()?)
}

fn first(text: &str) -> Option<SocketAddr> {
    let servers = text.lines().filter_map(|line| line.strip_prefix("nameserver"));
    let address = servers.filter_map(|server| server.trim().parse::<IpAddr>().ok()).next()?;
    Some(SocketAddr::new(address, 53))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_server_that_is_an_address_is_asked() {
        let text =
            "# nameserver 10.0.0.1\nsearch home\nnameserver fe80::1%eth0\nnameserver\t10.0.0.2 \nnameserver 10.0.0.3\n";
        assert_eq!(first(text), Some(SocketAddr::from(([10, 0, 0, 2], 53))));
        assert_eq!(first("nameserver ::1"), Some("[::1]:53".parse().expect("an address")));
        assert_eq!(first("search home\n"), None);
    }
}
