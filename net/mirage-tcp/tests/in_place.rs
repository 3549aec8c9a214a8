//! Reading and writing where the bytes lie: what is read and sent is what any other call would have read and sent.

mod support;

use core::task::{Context, Poll, Waker};

use mirage_net::FrameWriter;
use support::*;

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A connection to which 10,000 bytes have come, in pieces that fill no block evenly.
fn full() -> (Host, Peer, ConnectionId) {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    let bytes = pattern(10_000);
    let mut at = 0;
    for len in [1460, 1460, 700, 1460, 1460, 1, 1460, 1460, 539] {
        host.input(&peer.data(1 + at as u32, 1, &bytes[at..at + len])).unwrap();
        at += len;
    }
    assert_eq!(at, bytes.len());
    (host, peer, id)
}

fn bytes_of(sent: &[Segment]) -> Vec<u8> {
    sent.iter().flat_map(|segment| segment.payload.clone()).collect()
}

#[test]
fn each_piece_is_seen_once_and_in_order() {
    let (mut host, _, id) = full();
    let (mut seen, mut pieces) = (Vec::new(), 0);
    let read = host.tcp.poll_read_each(id, &mut cx(), |piece| {
        seen.extend_from_slice(piece);
        pieces += 1;
        piece.len()
    });
    assert_eq!(read, Poll::Ready(Ok(10_000)));
    assert!(seen == pattern(10_000) && pieces > 1, "{pieces}");
    assert_eq!(host.tcp.stats().blocks_in_use, 0);
    assert_eq!(host.tcp.poll_read_each(id, &mut cx(), |_| panic!("there is nothing")), Poll::Pending);
}

#[test]
fn the_piece_that_is_not_taken_whole_is_the_last_and_what_is_left_of_it_comes_again() {
    let (mut host, _, id) = full();
    let mut read = Vec::new();
    let mut call = 0;
    while read.len() < 10_000 {
        let mut left = 0;
        call += 1;
        let count = host.tcp.poll_read_each(id, &mut cx(), |piece| {
            assert_eq!(left, 0, "after one that was left there is no other");
            let take = if call % 3 == 0 { piece.len() } else { piece.len().min(call * 7) };
            left = piece.len() - take;
            read.extend_from_slice(&piece[..take]);
            // More than there is counts as all.
            if left == 0 { usize::MAX } else { take }
        });
        assert!(matches!(count, Poll::Ready(Ok(count)) if count > 0));
    }
    assert_eq!(read, pattern(10_000));
}

#[test]
fn who_takes_nothing_loses_nothing() {
    let (mut host, _, id) = full();
    assert_eq!(host.tcp.poll_read_each(id, &mut cx(), |_| 0), Poll::Ready(Ok(0)));
    assert_eq!(host.read(id), pattern(10_000));
}

#[test]
fn pieces_and_whole_reads_open_the_window_alike() {
    let windows = |read: fn(&mut Host, ConnectionId)| {
        let (mut host, _, id) = full();
        host.output();
        read(&mut host, id);
        host.sent_within(s(1)).iter().map(|segment| segment.window).collect::<Vec<_>>()
    };
    let whole = windows(|host, id| assert_eq!(host.read(id).len(), 10_000));
    let pieces = windows(|host, id| assert!(host.tcp.poll_read_each(id, &mut cx(), <[u8]>::len).is_ready()));
    assert_eq!(pieces, whole);
}

#[test]
fn the_end_is_no_piece() {
    let (mut host, peer, id) = full();
    host.input(&peer.segment(ACK | FIN, 10_001, 1)).unwrap();
    assert_eq!(host.tcp.poll_read_each(id, &mut cx(), <[u8]>::len), Poll::Ready(Ok(10_000)));
    assert_eq!(host.tcp.poll_read_each(id, &mut cx(), |_| panic!("the end")), Poll::Ready(Ok(0)));
    host.input(&peer.segment(RST, 10_002, 1)).unwrap();
    assert!(matches!(host.tcp.poll_read_each(id, &mut cx(), |_| panic!("broken")), Poll::Ready(Err(_))));
}

#[test]
fn what_is_written_in_pieces_is_sent_as_one_stream() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    let bytes = pattern(9_000);
    let (mut at, mut pieces) = (0, 0);
    let wrote = host.tcp.poll_write_each(id, &mut cx(), 9_000, |space| {
        let len = space.remaining();
        space.put(&bytes[at..at + len]);
        at += len;
        pieces += 1;
    });
    assert_eq!(wrote, Poll::Ready(Ok(9_000)));
    assert!(pieces > 1, "no block is so large");
    assert_eq!(bytes_of(&host.output()), bytes);
}

#[test]
fn a_piece_that_is_not_filled_is_the_last() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    let mut pieces = 0;
    let wrote = host.tcp.poll_write_each(id, &mut cx(), 9_000, |space| {
        pieces += 1;
        if pieces == 2 { space.put(b"end") } else { space.put_zeroes(space.remaining()) }
    });
    let Poll::Ready(Ok(count)) = wrote else { panic!("{wrote:?}") };
    assert_eq!(pieces, 2);
    let sent = bytes_of(&host.output());
    assert!(sent.len() == count && sent.ends_with(b"\0end"), "{count}");
}

#[test]
fn nothing_written_is_nothing_sent() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    assert_eq!(host.tcp.poll_write_each(id, &mut cx(), 0, |_| panic!("none is wanted")), Poll::Ready(Ok(0)));
    assert_eq!(host.tcp.poll_write_each(id, &mut cx(), 100, |_| {}), Poll::Ready(Ok(0)));
    // A write that does not fit does not leave in part.
    assert_eq!(host.tcp.poll_write_each(id, &mut cx(), 10, |space| space.put(&[1; 11])), Poll::Ready(Ok(0)));
    assert_eq!((host.output(), host.tcp.stats().blocks_in_use), (vec![], 0));
    // Nor behind something.
    while host.tcp.stats().blocks_in_use < 2 {
        assert_eq!(host.write(id, &[7; 10]), 10);
    }
    let room = |host: &mut Host| {
        let mut room = 0;
        let wrote = host.tcp.poll_write_each(id, &mut cx(), 10_000, |space| room = space.remaining());
        assert_eq!(wrote, Poll::Ready(Ok(0)));
        room
    };
    let left = room(&mut host);
    assert_eq!(host.write(id, &vec![7; left]), left);
    assert!(room(&mut host) > 1000, "a block that nobody has now");
    assert_eq!(host.tcp.stats().blocks_in_use, 2);
    assert_eq!(host.write(id, &[8; 10]), 10);
    host.tcp.set_nodelay(id, true);
    assert!(bytes_of(&host.output()).ends_with(&[7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8]));
}

#[test]
fn who_has_no_room_waits_and_who_is_shut_is_told() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    let zeroes = |space: &mut FrameWriter<'_>| space.put_zeroes(space.remaining());
    while host.tcp.poll_write_each(id, &mut cx(), 5_000, zeroes).is_ready() {}
    assert_eq!(host.tcp.poll_write_each(id, &mut cx(), 1, |_| panic!("there is no room")), Poll::Pending);
    assert!(host.try_write(id, b"x").is_pending(), "for others neither");
    host.tcp.shutdown(id, Direction::Write).unwrap();
    let wrote = host.tcp.poll_write_each(id, &mut cx(), 1, |_| panic!("it is shut"));
    assert_eq!(wrote, Poll::Ready(Err(Error::Closed)));
}

#[test]
fn one_piece_is_written_and_read_with_what_comes_of_it() {
    let (mut host, _, id) = full();
    let first = host.tcp.poll_read_with(id, &mut cx(), |piece| (3, piece[..5].to_vec()));
    assert_eq!(first, Poll::Ready(Ok(pattern(5))));
    assert_eq!(host.read(id), pattern(10_000)[3..]);
    let wrote = host.tcp.poll_write_with(id, &mut cx(), |space| {
        space.put(b"answer");
        space.remaining()
    });
    let Poll::Ready(Ok((6, left))) = wrote else { panic!("{wrote:?}") };
    assert!(left > 1000);
    assert_eq!(bytes_of(&host.output()), b"answer");
}
