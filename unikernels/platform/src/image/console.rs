//! Lines on the console.

use crate::target::Machine;

/// Longest line that is written in one piece.
const PIECE: usize = 256;

/// Prints `line` and a line end: in one piece where the line is short, so that it does not mix with what others write
/// to the same place.
pub(crate) fn print(line: &str) {
    let mut piece = [0; PIECE];
    let mut len = 0;
    for (place, byte) in piece.iter_mut().zip(line.bytes().chain([b'\n'])) {
        *place = byte;
        len += 1;
    }
    if len > line.len() {
        Machine::write(piece.get(..len).unwrap_or_default());
    } else {
        Machine::write(line.as_bytes());
        Machine::write(b"\n");
    }
}
