//! Bytes worth sending, and their digest.

use mirage_flow::{Read, Write};
use rand_core::Rng as _;
use sha2::{Digest, Sha256};

use crate::Dice;

/// SHA-256.
pub type Hash = [u8; 32];

/// Writes `count` bytes that follow from `seed`; their digest.
pub async fn send<W: Write>(writer: &mut W, count: usize, seed: u64) -> Result<Hash, W::Error> {
    let block = block(seed);
    let mut digest = Sha256::new();
    let mut sent = 0;
    while sent < count {
        let rest = &block[sent % block.len()..];
        let len = writer.write(&rest[..rest.len().min(count - sent)]).await?;
        digest.update(&rest[..len]);
        sent += len;
    }
    Ok(digest.finalize().into())
}

/// Reads to the end of the stream; how many bytes came and their digest.
pub async fn receive<R: Read>(reader: &mut R) -> Result<(usize, Hash), R::Error> {
    let mut buffer = vec![0; 16 * 1024];
    let mut digest = Sha256::new();
    let mut received = 0;
    loop {
        match reader.read(&mut buffer).await? {
            0 => return Ok((received, digest.finalize().into())),
            len => {
                digest.update(&buffer[..len]);
                received += len;
            }
        }
    }
}

/// What is sent over and over. Its length is prime: no piece of the stream equals its neighbour of the same size.
fn block(seed: u64) -> Vec<u8> {
    let mut block = vec![0; 65_537];
    Dice(seed).fill_bytes(&mut block);
    block
}
