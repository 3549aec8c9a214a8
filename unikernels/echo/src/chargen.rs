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
pub(crate) async fn chargen(stream: &mut impl TcpStream) {
    let lines = lines();
    // Nothing the peer says matters (RFC 864: "any data received is thrown away"); its window is left to fill.
    while stream.write_all(&lines).await.is_ok() {}
}

/// The pattern, once.
fn lines() -> Vec<u8> {
    let character = |at| match (at / LINE, at % LINE) {
        (_, 72) => b'\r',
        (_, 73) => b'\n',
        (line, place) => b' ' + ((line + place) % PRINTABLE) as u8,
    };
    (0..MEMORY).map(character).collect()
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
        assert_eq!(&lines[LINE - 2..][..5], b"\r\n!\"#");
        assert_eq!(lines[lines.len() - LINE], b'~');
    }
}
