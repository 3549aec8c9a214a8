//! The floor: what the bytes of a transfer cost if nothing but the bytes cost anything.

use std::time::Duration;

use mirage_checksum::copy_and_sum;

use crate::clock::time;
use crate::peers::FRAMES;

/// What a segment carries at an MTU of 1500 bytes with timestamps.
pub(crate) const SEGMENT: usize = 1448;
/// As much as a connection's buffer holds in the other runs.
const BUFFER: usize = 64 * 1024;

/// Moves `bytes` from a sender's buffer through frames into a receiver's: each byte is copied and summed once on its way
/// out, and copied and verified once on its way in, with the instructions that the stack uses. The buffers are as large as
/// those of the other runs, so that the same caches hold them.
pub(crate) fn bytes_alone(bytes: u64) -> Duration {
    let written: Vec<u8> = (0..BUFFER).map(|place| place as u8).collect();
    let mut read = vec![0; BUFFER];
    let mut frames = vec![[0; SEGMENT]; FRAMES];
    let segments = BUFFER / SEGMENT;
    let took = time(|| {
        let mut moved = 0;
        while moved < bytes {
            let mut sums = [0; FRAMES];
            let pieces = || (0..segments).map(|segment| segment * SEGMENT..(segment + 1) * SEGMENT);
            for ((frame, sum), piece) in frames.iter_mut().zip(&mut sums).zip(pieces()) {
                *sum = copy_and_sum(frame, &written[piece]).finish();
            }
            for ((frame, sum), piece) in frames.iter().zip(sums).zip(pieces()) {
                assert_eq!(copy_and_sum(&mut read[piece], frame).finish(), sum, "what arrives is what was sent");
            }
            moved += (segments * SEGMENT) as u64;
            std::hint::black_box(&mut read);
        }
    });
    assert_eq!(read[..segments * SEGMENT], written[..segments * SEGMENT], "all arrived");
    took
}
