//! The chunked transfer-coding (RFC 9112 §7.1), as strictly as it is written.
//!
//! Two readers that disagree about where a body ends are the way requests are smuggled, so nothing is forgiven here:
//! no white space or sign around a size, no line end but CR LF, no size above 2⁶⁴.

use crate::writer::{hex, parse_nibble};

/// Where in the coding the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a chunk's size, of which so many digits were read.
    Size(u8),
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// At the start of a line of the trailer section.
    Trailer,
    TrailerLine,
    TrailerLf,
    LastLf,
    Done,
}

/// Takes the chunked coding off a body, however it is cut into pieces.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    /// Invariant: bytes of this chunk that are still to come, complete in `State::Data`.
    left: u64,
    extensions: u32,
    trailers: u32,
}

/// What the next bytes of the input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// So many bytes of framing come first.
    pub skip: usize,
    /// Then so many bytes of the body. Zero: the input ends, or the body.
    pub data: usize,
}

/// The input is not in the chunked coding, or has more extensions or trailers than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

impl Decoder {
    /// A decoder at the start of a body, which may have so many bytes of extensions and of trailers.
    pub const fn new(extensions: u32, trailers: u32) -> Self {
        Self { state: State::Size(0), left: 0, extensions, trailers }
    }

    /// Whether the body and its trailers have ended.
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Reads on to the next bytes of the body, of which at most `most` are taken; the input counts as read up to
    /// their end. After the end of the body nothing is read.
    ///
    /// # Errors
    /// [`Invalid`]; the decoder is of no use then.
    pub fn advance(&mut self, input: &[u8], most: usize) -> Result<Decoded, Invalid> {
        let mut skip = 0;
        for byte in input {
            match self.state {
                State::Done => break,
                State::Data => {
                    let data = (input.len() - skip).min(most).min(usize::try_from(self.left).unwrap_or(usize::MAX));
                    self.left -= data as u64;
                    if self.left == 0 {
                        self.state = State::DataCr;
                    }
                    return Ok(Decoded { skip, data });
                }
                _ => self.step(*byte)?,
            }
            skip += 1;
        }
        Ok(Decoded { skip, data: 0 })
    }

    fn step(&mut self, byte: u8) -> Result<(), Invalid> {
        self.state = match (self.state, byte) {
            (State::Size(1..), b'\r') => State::SizeLf,
            (State::Size(1..), b';') => State::Extension,
            (State::Size(digits @ 0..16), _) => {
                self.left = self.left << 4 | u64::from(parse_nibble(byte).ok_or(Invalid)?);
                State::Size(digits + 1)
            }
            (State::Extension, b'\r') => State::SizeLf,
            (State::Extension, _) if is_text(byte) => {
                self.extensions = self.extensions.checked_sub(1).ok_or(Invalid)?;
                State::Extension
            }
            (State::SizeLf, b'\n') if self.left == 0 => State::Trailer,
            (State::SizeLf, b'\n') => State::Data,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size(0),
            (State::Trailer, b'\r') => State::LastLf,
            // A line that begins with white space goes on with the one before it: obsolete and refused.
            (State::Trailer, b' ' | b'\t') => return Err(Invalid),
            (State::TrailerLine, b'\r') => State::TrailerLf,
            (State::Trailer | State::TrailerLine, _) if is_text(byte) => {
                self.trailers = self.trailers.checked_sub(1).ok_or(Invalid)?;
                State::TrailerLine
            }
            (State::TrailerLf, b'\n') => State::Trailer,
            (State::LastLf, b'\n') => State::Done,
            _ => return Err(Invalid),
        };
        Ok(())
    }
}

/// The line before a chunk of `size` bytes, in `line`. After the chunk comes CR LF, after all chunks [`END`].
pub fn size_line(size: u64, line: &mut [u8; 18]) -> &[u8] {
    let mut digits = [0; 16];
    let digits = hex(size, &mut digits);
    let length = digits.len() + 2;
    if let Some(line) = line.get_mut(..length) {
        let (size, end) = line.split_at_mut(digits.len());
        size.copy_from_slice(digits);
        end.copy_from_slice(b"\r\n");
    }
    line.get(..length).unwrap_or_default()
}

/// The chunk that ends a body, without trailers.
pub const END: &[u8] = b"0\r\n\r\n";

const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=0x7e | 0x80..)
}
