//! The other end of one connection, played by the test.

use core::net::SocketAddr;
use core::task::Poll;

use mirage_tcp::ConnectionId;

use super::{ACK, HERE, Host, SYN, Segment, THERE};

/// The other end of a connection. Its numbers count from zero: 0 is the SYN of either side, 1 the first byte.
#[derive(Clone, Debug)]
pub struct Peer {
    pub here: SocketAddr,
    pub there: SocketAddr,
    /// The peer's initial sequence number.
    pub iss: u32,
    /// The machine's.
    pub irs: u32,
    /// What the peer's segments offer.
    pub window: u16,
}

/// What the peer says in its SYN.
#[derive(Clone, Copy, Debug)]
pub struct Handshake {
    pub port: u16,
    pub mss: Option<u16>,
    pub scale: Option<u8>,
    /// It understands selective acknowledgments.
    pub selective: bool,
    pub window: u16,
}

impl Default for Handshake {
    fn default() -> Self {
        Self { port: 4000, mss: Some(1460), scale: None, selective: false, window: 65_535 }
    }
}

impl Handshake {
    pub fn options(&self) -> Vec<u8> {
        let mut options = Vec::new();
        if let Some(mss) = self.mss {
            options.extend([2, 4]);
            options.extend(mss.to_be_bytes());
        }
        if self.selective {
            options.extend([1, 1, 4, 2]);
        }
        if let Some(scale) = self.scale {
            options.extend([1, 3, 3, scale]);
        }
        options
    }
}

/// Where the peer's numbers begin: they wrap around soon.
const ISS: u32 = u32::MAX - 1000;

impl Peer {
    /// A peer that has said nothing yet.
    pub fn new(here_port: u16, there_port: u16) -> Self {
        let (here, there) = (SocketAddr::new(HERE, here_port), SocketAddr::new(THERE, there_port));
        Self { here, there, iss: ISS, irs: 0, window: 65_535 }
    }

    /// A segment with the numbers `seq` of the peer and `ack` of the machine.
    pub fn segment(&self, flags: u8, seq: u32, ack: u32) -> Segment {
        Segment::new(self.there, self.here, flags)
            .seq(self.iss.wrapping_add(seq))
            .ack(if flags & ACK != 0 { self.irs.wrapping_add(ack) } else { 0 })
            .window(self.window)
    }

    /// An acknowledgement with `data`.
    pub fn data(&self, seq: u32, ack: u32, data: &[u8]) -> Segment {
        self.segment(ACK, seq, ack).data(data)
    }

    /// The number of a segment of the machine, counted from its SYN.
    pub fn seq(&self, segment: &Segment) -> u32 {
        segment.seq.wrapping_sub(self.irs)
    }

    /// What a segment of the machine acknowledges, counted from the peer's SYN.
    pub fn ack(&self, segment: &Segment) -> u32 {
        segment.ack.wrapping_sub(self.iss)
    }
}

/// A connection that the machine accepted on port 80.
#[track_caller]
pub fn accepted(host: &mut Host, handshake: Handshake) -> (Peer, ConnectionId) {
    let listener = host.listen(80);
    let mut peer = Peer::new(80, handshake.port);
    peer.window = handshake.window;
    let sent = host.answer(&peer.segment(SYN, 0, 0).options(&handshake.options()));
    let [syn_ack] = &sent[..] else { panic!("one SYN-ACK, not {sent:?}") };
    assert!(syn_ack.is(SYN | ACK), "{syn_ack:?}");
    assert_eq!(peer.ack(syn_ack), 1);
    peer.irs = syn_ack.seq;
    assert_eq!(host.answer(&peer.segment(ACK, 1, 1)), []);
    let id = host.accept(listener).expect("the connection waits to be accepted");
    (peer, id)
}

/// A connection that the machine opened to port 80.
#[track_caller]
pub fn connected(host: &mut Host, handshake: Handshake) -> (Peer, ConnectionId) {
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let sent = host.output();
    let [syn] = &sent[..] else { panic!("one SYN, not {sent:?}") };
    assert!(syn.is(SYN), "{syn:?}");
    let mut peer = Peer::new(syn.from.port(), 80);
    (peer.irs, peer.window) = (syn.seq, handshake.window);
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 1).options(&handshake.options()));
    let [ack] = &sent[..] else { panic!("one ACK, not {sent:?}") };
    assert!(ack.is(ACK) && peer.ack(ack) == 1, "{ack:?}");
    assert_eq!(host.connected(id), Poll::Ready(Ok(())));
    (peer, id)
}
