//! Streams whose every byte follows from its place, so that none can be lost, doubled or moved unseen.

use mirage_flow::{Direction, Read, Shutdown, Write};

/// The byte at `offset` of the stream called `name`.
fn byte(name: u8, offset: usize) -> u8 {
    // 251 is prime: no segment or buffer is a multiple of it.
    (offset % 251) as u8 ^ name
}

/// Writes the first `len` bytes of the stream called `name`, and ends it.
pub async fn send(to: &mut (impl Write + Shutdown), name: u8, len: usize) {
    for start in (0..len).step_by(10_000) {
        let bytes: Vec<_> = (start..len.min(start + 10_000)).map(|offset| byte(name, offset)).collect();
        to.write_all(&bytes).await.expect("the connection takes bytes");
    }
    to.shutdown(Direction::Write).await.expect("the connection can be ended");
}

/// Reads the stream called `name` to its end, and says how long it was.
pub async fn receive(from: &mut impl Read, name: u8) -> usize {
    let mut buffer = vec![0; 10_000];
    let mut offset = 0;
    loop {
        let len = from.read(&mut buffer).await.expect("the connection gives bytes");
        if len == 0 {
            return offset;
        }
        for (at, found) in buffer[..len].iter().enumerate() {
            assert_eq!(*found, byte(name, offset + at), "stream {name}, byte {}", offset + at);
        }
        offset += len;
    }
}
