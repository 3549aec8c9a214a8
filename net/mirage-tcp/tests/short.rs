//! Short segments of a usual connection: a request, an answer.

mod support;

use mirage_protocols::{Cast, Received};
use mirage_tcp::Discard;
use support::*;

/// What nearly every SYN says: segment size, selective acknowledgments, timestamps, window scale.
const USUAL: [u8; 20] = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7];

#[test]
fn a_request_to_everybody_is_not_taken_for_the_next_of_an_exchange() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    let sent = host.answer(&peer.segment(SYN, 0, 0).options(&USUAL));
    peer.irs = sent[0].seq;
    let stamps = [&[1, 1, 8, 10, 0, 0, 0, 8], &sent[0].option(8).expect("timestamps")[..4]].concat();
    host.answer(&peer.segment(ACK, 1, 1).options(&stamps));
    let id = host.accept(listener).expect("the handshake is complete");
    // Three requests and their answers.
    for request in 1..4 {
        host.answer(&peer.data(request, request, b"?").options(&stamps));
        assert_eq!(host.read(id), b"?");
        host.write(id, b"!");
        assert_eq!(host.output().len(), 1);
    }
    let next = peer.data(4, 4, b"?").options(&stamps);
    let (from, to, bytes) = (next.from.ip(), next.to.ip(), next.bytes());
    let everybody = Received { cast: Cast::Broadcast, ..Received::new(from, to, &bytes) };
    assert_eq!(host.tcp.input(host.now, &everybody), Err(Discard::NotUnicast));
    assert_eq!(host.read(id), b"");
    assert_eq!(host.input(&next), Ok(()));
    assert_eq!(host.read(id), b"?");
}
