//! Lines on the console.

use crate::target::Machine;

/// Longest line that is written in one piece.
const PIECE: usize = 256;

/// Prints `line` and a line end: in one piece where the line is short, so that it does not mix with what others write
/// to the same place.
pub(crate) fn print(line: &str) {
    let mut piece = [0; PIECE];
    let room = piece.get_mut(..=line.len()).and_then(<[u8]>::split_last_mut);
    if let Some((end, text)) = room {
        text.copy_from_slice(line.as_bytes());
        *end = b'\n';
        Machine::write(piece.get(..=line.len()).unwrap_or_default());
    } else {
        Machine::write(line.as_bytes());
        Machine::write(b"\n");
    }
}
