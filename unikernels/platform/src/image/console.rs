//! Lines on the console.

use crate::target::Machine;

/// Longest line that is written in one piece.
const PIECE: usize = 256;

/// Prints `line` and a line end: in one piece where the line is short, so that it does not mix with what others write
/// to the same place.
pub(crate) fn print(line: &str) {
    let mut piece = [0; PIECE];
    match piece.get_mut(..line.len() + 1) {
        Some(piece) => {
            piece[..line.len()].copy_from_slice(line.as_bytes());
            piece[line.len()] = b'\n';
            Machine::write(piece);
        }
        None => {
            Machine::write(line.as_bytes());
            Machine::write(b"\n");
        }
    }
}
