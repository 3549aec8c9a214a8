//! What is measured, the same for every stack.

use std::time::Duration;

use crate::clock::time;
use crate::floor;
use crate::peers::{Cable, Mirage, Offload, Pair, Smoltcp, Who, World};

/// How much an application hands over at once.
const CHUNK: usize = 64 * 1024;

/// How an application hands its bytes over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calls {
    /// It makes them in the stack's buffer and looks at them there.
    InPlace,
    /// It has them copied from and to buffers of its own.
    Copying,
}

/// Moves `bytes` from one end to the other; the time it took.
pub(crate) fn bulk<W: World>(cable: Cable, bytes: u64, calls: Calls) -> Duration {
    match calls {
        Calls::Copying => bulk_copying::<W>(cable, bytes),
        Calls::InPlace => bulk_in_place::<W>(cable, bytes),
    }
}

fn bulk_in_place<W: World>(cable: Cable, bytes: u64) -> Duration {
    let mut world = W::new(cable, 1, CHUNK);
    let pair = world.connect();
    let (mut sent, mut received, mut idle) = (0, 0, 0);
    time(|| {
        while received < bytes {
            if sent < bytes {
                sent += world.client_write_in_place(pair, (bytes - sent).min(CHUNK as u64) as usize) as u64;
            }
            world.send_out(Who::Client);
            world.take_in(Who::Server);
            let got = world.server_read_in_place(pair);
            world.send_out(Who::Server);
            world.take_in(Who::Client);
            received += got as u64;
            idle = if got == 0 { idle + 1 } else { 0 };
            assert!(idle < 100_000, "stalled after {received} of {bytes} bytes");
        }
        assert_eq!(sent, received, "what arrives is what was sent");
    })
}

fn bulk_copying<W: World>(cable: Cable, bytes: u64) -> Duration {
    let mut world = W::new(cable, 1, CHUNK);
    let pair = world.connect();
    let data = vec![0x5a; CHUNK];
    let mut buffer = vec![0; CHUNK];
    let mut sent = 0;
    let mut received = 0;
    let mut idle = 0;
    let took = time(|| {
        while received < bytes {
            if sent < bytes {
                let len = (bytes - sent).min(CHUNK as u64) as usize;
                sent += world.client_send(pair, &data[..len]) as u64;
            }
            world.send_out(Who::Client);
            world.take_in(Who::Server);
            let mut got = 0;
            loop {
                let len = world.server_receive(pair, &mut buffer);
                got += len;
                if len == 0 {
                    break;
                }
            }
            world.send_out(Who::Server);
            world.take_in(Who::Client);
            received += got as u64;
            idle = if got == 0 { idle + 1 } else { 0 };
            assert!(idle < 100_000, "stalled after {received} of {bytes} bytes");
        }
    });
    assert!(buffer[0] == 0x5a, "what arrives is what was sent");
    took
}

/// One byte there and one byte back, `turns` times.
pub(crate) fn pingpong<W: World>(turns: u64) -> Duration {
    let mut world = W::new(Cable { mtu: 1500, offload: Offload::Nothing }, 1, CHUNK);
    let pair = world.connect();
    time(|| (0..turns).for_each(|_| round_trip(&mut world, pair)))
}

/// Opens a connection and closes it from both ends, `turns` times.
pub(crate) fn connect_close<W: World>(turns: u64) -> Duration {
    let mut world = W::new(Cable { mtu: 1500, offload: Offload::Nothing }, 1, 4096);
    time(|| {
        for _ in 0..turns {
            let pair = world.connect();
            world.close(pair);
        }
    })
}

/// 64 bytes by UDP there and back in batches of 32; `turns` echoes.
pub(crate) fn udp_echo<W: World>(turns: u64) -> Duration {
    let mut world = W::new(Cable { mtu: 1500, offload: Offload::Nothing }, 1, 4096);
    // The first datagram waits for ARP; a whole batch would not fit its queue.
    world.udp_echo(1);
    time(|| (0..turns.div_ceil(32)).for_each(|_| world.udp_echo(32)))
}

/// What one round (a ping-pong on one connection and a poll with nothing to do) costs while `connections` are open.
pub(crate) fn idle<W: World>(connections: usize, turns: u64) -> Duration {
    let mut world = W::new(Cable { mtu: 1500, offload: Offload::Checksums }, connections, 1024);
    let pairs: Vec<Pair> = (0..connections).map(|_| world.connect()).collect();
    let pair = pairs[connections - 1];
    round_trip(&mut world, pair);
    time(|| {
        for _ in 0..turns {
            round_trip(&mut world, pair);
            world.poll();
        }
    })
}

/// A byte there and a byte back. Each end is polled when it has something to do, as its own loop would.
fn round_trip<W: World>(world: &mut W, pair: Pair) {
    let mut byte = [0; 1];
    assert_eq!(world.client_send(pair, b"?"), 1, "one byte always fits");
    let asked = ways(world, [Who::Client, Who::Server], |world| world.server_receive(pair, &mut byte) == 1);
    assert!(asked, "the question came");
    assert_eq!(world.server_send(pair, b"!"), 1, "one byte always fits");
    let answered = ways(world, [Who::Server, Who::Client], |world| world.client_receive(pair, &mut byte) == 1);
    assert!(answered && byte == *b"!", "the answer came");
}

/// Polls the one who sends and then the one who receives until it `came`.
fn ways<W: World>(world: &mut W, way: [Who; 2], mut came: impl FnMut(&mut W) -> bool) -> bool {
    (0..1000).any(|_| {
        way.into_iter().for_each(|who| world.poll_end(who));
        came(world)
    })
}

/// Runs what the arguments name: `PEER SCENARIO TURNS`.
pub(crate) fn from_arguments(arguments: &[String]) -> Result<(), String> {
    let [peer, scenario, turns] = arguments else { return Err("expected PEER SCENARIO TURNS".to_owned()) };
    let turns = turns.parse().map_err(|_| "TURNS is a number".to_owned())?;
    match peer.as_str() {
        "mirage" => one::<Mirage>(scenario, turns),
        "smoltcp" => one::<Smoltcp>(scenario, turns),
        _ => Err(format!("no peer `{peer}`")),
    }
}

fn one<W: World>(scenario: &str, turns: u64) -> Result<(), String> {
    match scenario {
        // A turn is a full segment.
        "segment" => bulk::<W>(Cable { mtu: 1500, offload: Offload::Nothing }, turns * 1460, Calls::InPlace),
        "segment-offload" => bulk::<W>(Cable { mtu: 1500, offload: Offload::Checksums }, turns * 1460, Calls::InPlace),
        "segments" => bulk::<W>(Cable { mtu: 1500, offload: Offload::Segments }, turns * 1460, Calls::InPlace),
        "jumbo" => bulk::<W>(Cable { mtu: 9000, offload: Offload::Nothing }, turns * 8960, Calls::InPlace),
        "jumbo-offload" => bulk::<W>(Cable { mtu: 9000, offload: Offload::Checksums }, turns * 8960, Calls::InPlace),
        "segment-copied" => bulk::<W>(Cable { mtu: 1500, offload: Offload::Nothing }, turns * 1460, Calls::Copying),
        "pingpong" => pingpong::<W>(turns),
        "connect" => connect_close::<W>(turns),
        "udp-echo" => udp_echo::<W>(turns),
        "floor" => floor::bytes_alone(turns * floor::SEGMENT as u64),
        _ => return Err(format!("no scenario `{scenario}`")),
    };
    Ok(())
}
