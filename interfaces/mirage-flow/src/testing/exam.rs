//! The exams for every flow.

use alloc::vec;

use embedded_io_async::{Read, Write};

use super::{join, poll_once};
use crate::{Direction, Flow, Split};

/// The exam for a flow: `a` and `b` are the two ends of a fresh connection, which takes at least 16 bytes in each
/// direction before anybody reads.
///
/// Bytes arrive whole and in order, both ways and at once; dropped futures lose and double nothing; `read_ready` and
/// `write_ready` keep their word; each direction ends on its own. Run it on an executor that also runs whatever moves
/// the bytes; it never polls in a loop, so virtual time can pass.
///
/// # Panics
/// When the flow fails.
pub async fn examine<A: Flow + Split, B: Flow + Split>(mut a: A, mut b: B) {
    nothing_was_sent(&mut a).await;
    nothing_was_sent(&mut b).await;
    a_word(&mut a, &mut b).await;
    a_word(&mut b, &mut a).await;
    a_dropped_read_loses_nothing(&mut a, &mut b).await;
    a_dropped_read_loses_nothing(&mut b, &mut a).await;
    a_dropped_write_sends_nothing(&mut a, &mut b).await;
    a_dropped_write_sends_nothing(&mut b, &mut a).await;
    both_ways_at_once(&mut a, &mut b).await;
    one_way_ends(&mut a, &mut b).await;
    the_other_way_is_open(&mut b, &mut a).await;
    one_way_ends(&mut b, &mut a).await;
}

/// The exam for a flow that ends its reading direction: `a` and `b` are the two ends of a fresh connection.
///
/// `a` reads the end of the stream at once and what `b` sends is thrown away, without holding `b` up; `a` can still
/// write.
///
/// # Panics
/// When the flow fails.
pub async fn examine_deaf_reader(mut a: impl Flow, mut b: impl Flow) {
    a.shutdown(Direction::Read).await.expect("reading can be ended");
    a.shutdown(Direction::Read).await.expect("reading can be ended again");
    assert_eq!(a.read(&mut [0; 10]).await.expect("reading was ended"), 0, "reads after the end of reading");
    b.write_all(&vec![1; 100_000]).await.expect("the peer can send to a deaf flow");
    assert_eq!(a.read(&mut [0; 10]).await.expect("reading was ended"), 0, "later bytes are thrown away");
    the_other_way_is_open(&mut a, &mut b).await;
}

/// The exam for a flow that is dropped: `a` and `b` are the two ends of a fresh connection.
///
/// What `a` wrote before it was dropped arrives, then the end of the stream; `b` is told that nobody reads.
///
/// # Panics
/// When the flow fails.
pub async fn examine_drop(mut a: impl Flow, mut b: impl Flow) {
    a.write_all(b"farewell").await.expect("the flow is open");
    drop(a);
    read_exactly(&mut b, b"farewell").await;
    assert_eq!(b.read(&mut [0; 10]).await.expect("the stream ended in order"), 0, "the end comes after the last byte");
    for _ in 0..LIMIT / CHUNK {
        if b.write_all(&[0; CHUNK]).await.is_err() {
            return;
        }
    }
    panic!("a flow takes {LIMIT} bytes that nobody reads");
}

async fn nothing_was_sent(flow: &mut impl Flow) {
    assert!(!flow.read_ready().expect("the flow is open"), "a fresh flow has nothing to read");
    assert!(flow.write_ready().expect("the flow is open"), "a fresh flow takes bytes");
    // embedded-io-async: "If `buf.len() == 0`, `read` returns without waiting".
    assert!(matches!(poll_once(flow.read(&mut [])).await, Some(Ok(0))), "reading nothing waits");
    assert!(matches!(poll_once(flow.write(&[])).await, Some(Ok(0))), "writing nothing waits");
}

async fn a_word(from: &mut impl Flow, to: &mut impl Flow) {
    let sent = async {
        from.write_all(b"hel").await.expect("the flow is open");
        from.write_all(b"lo").await.expect("the flow is open");
        from.flush().await.expect("the flow is open");
    };
    join(sent, read_exactly(to, b"hello")).await;
}

async fn a_dropped_read_loses_nothing(reader: &mut impl Flow, writer: &mut impl Flow) {
    assert!(poll_once(reader.read(&mut [0; 10])).await.is_none(), "nothing was sent");
    writer.write_all(b"kept").await.expect("the flow is open");
    writer.flush().await.expect("the flow is open");
    // One byte at a time, with a look at `read_ready` before each: if it says yes, a read is ready at once.
    for expected in b"kept" {
        let ready = reader.read_ready().expect("the flow is open");
        let mut byte = [0];
        let count = match poll_once(reader.read(&mut byte)).await {
            Some(count) => count,
            None => {
                assert!(!ready, "read_ready said yes and read waits");
                reader.read(&mut byte).await
            }
        };
        assert_eq!((count.expect("the flow is open"), byte), (1, [*expected]));
    }
}

async fn a_dropped_write_sends_nothing(writer: &mut impl Flow, reader: &mut impl Flow) {
    let mut sent = 0;
    while sent < LIMIT {
        let ready = writer.write_ready().expect("the flow is open");
        let chunk: [u8; CHUNK] = core::array::from_fn(|n| pattern(sent + n));
        match poll_once(writer.write(&chunk)).await {
            Some(count) => {
                let count = count.expect("the flow is open");
                assert!(count > 0, "a write of {CHUNK} bytes took none");
                sent += count;
            }
            None => {
                assert!(!ready, "write_ready said yes and write waits");
                break;
            }
        }
    }
    // The write that had to wait was dropped: the stream goes on exactly behind what was accepted.
    join(write_pattern(writer, sent, CHUNK), read_pattern(reader, sent + CHUNK)).await;
}

async fn both_ways_at_once(a: &mut impl Split, b: &mut impl Split) {
    let (mut a_reader, mut a_writer) = a.split();
    let (mut b_reader, mut b_writer) = b.split();
    let there = join(write_pattern(&mut a_writer, 0, BULK), read_pattern(&mut b_reader, BULK));
    let back = join(write_pattern(&mut b_writer, 0, BULK), read_pattern(&mut a_reader, BULK));
    join(there, back).await;
}

async fn one_way_ends(from: &mut impl Flow, to: &mut impl Flow) {
    from.write_all(b"last").await.expect("the flow is open");
    from.shutdown(Direction::Write).await.expect("writing can be ended");
    from.shutdown(Direction::Write).await.expect("writing can be ended again");
    assert!(from.write(b"more").await.is_err(), "a write after the end of writing");
    read_exactly(to, b"last").await;
    for _ in 0..2 {
        assert_eq!(to.read(&mut [0; 10]).await.expect("the stream ended in order"), 0, "the end of the stream");
    }
    assert!(to.read_ready().expect("the stream ended in order"), "the end of the stream does not wait");
}

async fn the_other_way_is_open(from: &mut impl Flow, to: &mut impl Flow) {
    join(write_pattern(from, 0, BULK), read_pattern(to, BULK)).await;
}

async fn read_exactly(reader: &mut impl Read, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    reader.read_exact(&mut bytes).await.expect("the bytes that were sent arrive");
    assert_eq!(bytes, expected);
}

/// Writes `count` bytes of the pattern from position `from` on, in pieces of many sizes.
async fn write_pattern(writer: &mut impl Write, from: usize, count: usize) {
    let (mut at, mut size) = (from, 1);
    while at < from + count {
        let len = size.min(from + count - at);
        let bytes: [u8; CHUNK] = core::array::from_fn(|n| pattern(at + n));
        writer.write_all(&bytes[..len]).await.expect("the flow is open");
        at += len;
        size = size * 3 % CHUNK + 1;
    }
    writer.flush().await.expect("the flow is open");
}

/// Reads `count` bytes of the pattern from its beginning, in pieces of many sizes, and nothing beyond.
async fn read_pattern(reader: &mut impl Read, count: usize) {
    let (mut at, mut size) = (0, 1);
    let mut buffer = [0; CHUNK];
    while at < count {
        let len = size.min(count - at);
        let read = reader.read(&mut buffer[..len]).await.expect("the flow is open");
        assert!(read > 0, "the stream ended after {at} of {count} bytes");
        for byte in &buffer[..read] {
            assert_eq!(*byte, pattern(at), "byte {at}");
            at += 1;
        }
        size = size * 5 % CHUNK + 1;
    }
}

/// Byte number `n` of a stream that repeats itself only after 16 MiB, so that lost, doubled and exchanged pieces show.
fn pattern(n: usize) -> u8 {
    ((n as u32).wrapping_mul(0x9e37_79b1) >> 24) as u8 ^ (n >> 8) as u8
}

/// Largest single read or write in bytes.
const CHUNK: usize = 4096;
/// Bytes of a long transfer: more than any flow buffers.
const BULK: usize = 1 << 20;
/// A flow that has taken so many bytes without anybody reading has no bound.
const LIMIT: usize = 64 << 20;
