//! Opens a tap device and says what it can do: `cargo run -p mirage-net-unix --example tap-check -- tap0`.

use mirage_net::{Net, Transmit};
use mirage_net_unix::{Options, Tap};
use mirage_unix::Reactor;

fn main() -> std::io::Result<()> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "tap0".into());
    let reactor = Reactor::new()?;
    for offloads in [false, true] {
        let mut tap = Tap::open(&reactor, &name, Options { offloads, ..Options::default() })?;
        let (_, transmit) = tap.split();
        println!("{name}, offloads {}:", if offloads { "on" } else { "off" });
        println!("  address  {}", transmit.mac());
        println!("  MTU      {} bytes", transmit.mtu());
        println!("  link     {:?}", transmit.link());
        println!("  takes over {:?}", transmit.capabilities());
    }
    Ok(())
}
