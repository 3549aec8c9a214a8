//! A SYN or SYN-ACK that says what nearly every one says, in the order of Linux, and nothing else: read and written at fixed
//! places.

use mirage_checksum::{SequenceNumber, Sum};

use crate::options::{MAX_WINDOW_SCALE, SynOptions};
use crate::wire::{Checksum, Flags, SYN_LEN, pair, word};

/// A segment that is nothing but a header with a segment size, selective acknowledgments, timestamps and a window scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsualSyn {
    /// The source's, and in the lower half the destination's.
    pub(crate) ports: u32,
    pub(crate) seq: SequenceNumber,
    pub(crate) ack: SequenceNumber,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    /// Never 0.
    pub(crate) mss: u16,
    /// The sender's clock and its echo of ours.
    pub(crate) stamps: (u32, u32),
    /// At most 14.
    pub(crate) shift: u8,
}

impl UsualSyn {
    /// Reads one. `None` when it says anything else; whether its checksum is right is not asked.
    #[inline(always)]
    pub(crate) fn read(bytes: &[u8; SYN_LEN]) -> Option<Self> {
        let word = |at| word(bytes, at);
        let (ports, control, size, scale) = (word(0), word(12), word(20), word(36));
        let usual = control & !(0xff << 16 | 0xffff) == WORDS << 28
            && size & !0xffff == SIZE
            && word(24) == SELECTIVE_AND_STAMPS
            && scale & !0xff == SCALE
            && ports & 0xffff != 0
            && ports >> 16 != 0
            && size & 0xffff != 0;
        usual.then(|| Self {
            ports,
            seq: SequenceNumber(word(4)),
            ack: SequenceNumber(word(8)),
            flags: Flags::from_bits_retain((control >> 16) as u8),
            window: control as u16,
            mss: size as u16,
            stamps: (word(28), word(32)),
            shift: (scale as u8).min(MAX_WINDOW_SCALE),
        })
    }

    /// What it says of its sender, if its flags say nothing of marks.
    #[inline(always)]
    pub(crate) fn options(&self) -> SynOptions {
        SynOptions {
            mss: Some(self.mss),
            window_scale: Some(self.shift),
            sack_permitted: true,
            timestamps: Some(self.stamps),
            marks: false,
            accurate: None,
        }
    }

    /// The segment, `pseudo` being the sum of its pseudo-header but for the length.
    #[inline(always)]
    pub(crate) fn bytes(&self, pseudo: Sum, checksum: Checksum) -> [u8; SYN_LEN] {
        let control = WORDS << 28 | u32::from(self.flags.bits()) << 16 | u32::from(self.window);
        let mut words = [
            pair(self.ports, self.seq.0),
            pair(self.ack.0, control),
            u64::from(SIZE | u32::from(self.mss)),
            pair(SELECTIVE_AND_STAMPS, self.stamps.0),
            pair(self.stamps.1, SCALE | u32::from(self.shift)),
        ];
        let sum = pseudo.add_u64(SYN_LEN as u64);
        let value = match checksum {
            Checksum::Complete => words.iter().fold(sum, |sum, word| sum.add_u64(*word)).finish(),
            Checksum::Partial => sum.partial(),
        };
        words[2] |= u64::from(value) << 48;
        let mut bytes = [0; SYN_LEN];
        for (place, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *place = word.to_be_bytes();
        }
        bytes
    }
}

/// Length of the header in words of four bytes.
const WORDS: u32 = (SYN_LEN / 4) as u32;
// Kinds and lengths: RFC 9293 §3.1, RFC 2018 §2, RFC 7323 §2.2 and §3.2; a no-operation goes before the scale.
const SIZE: u32 = 0x0204_0000;
const SELECTIVE_AND_STAMPS: u32 = 0x0402_080a;
const SCALE: u32 = 0x0103_0300;

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use crate::wire::{Header, write_segment};
    use alloc::vec;
    use core::net::IpAddr;
    use mirage_net::FrameWriter;

    fn syn() -> UsualSyn {
        UsualSyn {
            ports: 49_152 << 16 | 80,
            seq: SequenceNumber(0x0102_0304),
            ack: SequenceNumber(0xf0f1_f2f3),
            flags: Flags::SYN | Flags::ACK,
            window: 65_535,
            mss: 1460,
            stamps: (7, 0xffff_fff9),
            shift: 8,
        }
    }

    fn written(checksum: Checksum) -> [u8; SYN_LEN] {
        let (local, remote) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        syn().bytes(Sum::ZERO.pseudo_header(local, remote, 6, 0), checksum)
    }

    #[test]
    fn it_is_written_as_any_segment_with_these_options() {
        for checksum in [Checksum::Complete, Checksum::Partial] {
            let (mut bytes, syn) = (vec![0; SYN_LEN], syn());
            let header = Header {
                source_port: 49_152,
                destination_port: 80,
                seq: syn.seq,
                ack: syn.ack,
                flags: syn.flags,
                accurate: false,
                window: syn.window,
            };
            let ends = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
            let options = syn.options().emit();
            FrameWriter::fill(&mut bytes, |writer| {
                write_segment(writer, ends, &header, options.as_slice(), [], checksum);
            })
            .unwrap();
            assert_eq!(written(checksum)[..], bytes[..]);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = written(Checksum::Complete);
        assert_eq!(UsualSyn::read(&bytes), Some(syn()));
        assert_eq!(SynOptions::parse(&bytes[20..]), syn().options());
    }

    #[test]
    fn what_says_anything_else_is_not_read() {
        let usual = written(Checksum::Complete);
        // Every kind and length, the data offset and the bits beside the flags.
        for at in [12, 20, 21, 24, 25, 26, 27, 36, 37, 38] {
            let mut bytes = usual;
            bytes[at] ^= 1;
            assert_eq!(UsualSyn::read(&bytes), None, "byte {at}");
        }
        for of_two in [0, 2, 22] {
            let mut bytes = usual;
            (bytes[of_two], bytes[of_two + 1]) = (0, 0);
            assert_eq!(UsualSyn::read(&bytes), None, "a port or a segment size of 0 at {of_two}");
        }
    }

    #[test]
    fn a_window_scale_over_14_counts_as_14() {
        let mut bytes = written(Checksum::Complete);
        bytes[39] = 255;
        assert_eq!(UsualSyn::read(&bytes).map(|syn| syn.shift), Some(14));
    }
}
