//! Characters without end (RFC 864).

use alloc::vec::Vec;

use mirage_platform::stack::TcpStream;

/// Printable ASCII characters, from the space on.
const PRINTABLE: usize = 95;
/// Characters in a line, and its end.
const LINE: usize = 72 + 2;

/// Bytes that a connection needs: the pattern, once.
pub(crate) const MEMORY: usize = PRINTABLE * LINE;

/// Sends lines until the peer goes away. Line `n` begins with the `n`-th printable character and goes on round the ring,
/// so the pattern repeats after 95 lines.
pub(crate) async fn chargen(mut stream: impl TcpStream) {
    let lines = lines();
    // Nothing the peer says matters (RFC 864: "any data received is thrown away"); its window is left to fill.
    while stream.write_all(&lines).await.is_ok() {}
}

/// The pattern, once.
fn lines() -> Vec<u8> {
    let ring = |place: usize| b' ' + (place % PRINTABLE) as u8;
    let line = |start: usize| (start..start + LINE - 2).map(ring).chain(*b"\r\n");
    (0..PRINTABLE).flat_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_that_of_the_rfc() {
        let lines = lines();
        assert_eq!(lines.len(), PRINTABLE * LINE);
        let expected = br##" !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefg"##;
        assert_eq!(&lines[..LINE - 2], expected);
        assert_eq!(&lines[LINE..][..3], br##"!"#"##);
        assert_eq!(lines[lines.len() - LINE], b'~');
    }
}
