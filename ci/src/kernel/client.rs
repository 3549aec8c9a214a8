//! What clients have in common.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::GUEST;

/// How long any step of a test may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a port of the guest that does not wait for ever.
pub(crate) fn connect(port: u16) -> Result<TcpStream, String> {
    let stream = TcpStream::connect((GUEST, port)).map_err(|error| format!("connecting to port {port}: {error}"))?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
        .map_err(|error| error.to_string())?;
    Ok(stream)
}

/// `len` bytes that no compression or repetition would hide a mistake in.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Writes `data` and ends that direction while reading to the end; the hash of what came and its length.
pub(crate) fn exchange(stream: TcpStream, data: &[u8]) -> Result<(String, usize), String> {
    let mut writer = stream.try_clone().map_err(|error| error.to_string())?;
    let mut reader = stream;
    std::thread::scope(|scope| {
        let wrote = scope.spawn(move || writer.write_all(data).and_then(|()| writer.shutdown(Shutdown::Write)));
        let mut hash = Sha256::new();
        let len = read_all(&mut reader, |bytes| hash.update(bytes)).map_err(|error| format!("reading: {error}"))?;
        wrote.join().map_err(|_| "the writer panicked")?.map_err(|error| format!("writing: {error}"))?;
        Ok((hex(&hash.finalize()), len))
    })
}

/// Reads to the end of the stream.
pub(crate) fn read_all(reader: &mut impl Read, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(total),
            len => {
                take(&buffer[..len]);
                total += len;
            }
        }
    }
}

/// The SHA-256 of `bytes` in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An error unless both are equal.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}
