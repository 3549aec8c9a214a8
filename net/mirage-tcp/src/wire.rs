//! The TCP header (RFC 9293 §3.1): bytes to a [`Segment`] and back.

use core::convert::identity;
use core::net::{IpAddr, Ipv4Addr};

use bitflags::bitflags;
use mirage_checksum::{SequenceNumber, Sum};
use mirage_net::{FrameWriter, PartialChecksum, ReceivedChecksum};
use mirage_protocols::{Ecn, Protocol, Received};
use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::Profile;
use crate::discard::Discard;

bitflags! {
    /// The control bits.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Flags: u8 {
        /// The sender's direction ends here.
        const FIN = 1;
        /// Synchronize sequence numbers.
        const SYN = 2;
        /// Break off.
        const RST = 4;
        /// Give what came so far to the application.
        const PSH = 8;
        /// The acknowledgment field counts.
        const ACK = 16;
        /// The urgent pointer counts; we read urgent data in line (RFC 6093).
        const URG = 32;
        /// Congestion was experienced (RFC 3168).
        const ECE = 64;
        /// The sender reduced its congestion window (RFC 3168).
        const CWR = 128;
    }
}

/// A segment that came in, its lengths and checksum found right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// Never 0.
    pub(crate) source_port: u16,
    /// Never 0.
    pub(crate) destination_port: u16,
    pub(crate) seq: SequenceNumber,
    /// Means something only with [`Flags::ACK`].
    pub(crate) ack: SequenceNumber,
    pub(crate) flags: Flags,
    /// As it stands in the header, not scaled.
    pub(crate) window: u16,
    /// A bit beside the flags, for more accurate feedback of congestion (AE, RFC 9768).
    pub(crate) accurate: bool,
    /// What the IP header says of congestion.
    pub(crate) ecn: Ecn,
    pub(crate) options: &'a [u8],
    pub(crate) payload: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Reads a segment and checks its lengths, ports and, unless the device did, its checksum.
    #[cfg(test)]
    pub(crate) fn parse(received: &Received<'a>) -> Result<Self, Discard> {
        let segment = Self::read(received)?;
        if segment.is_intact::<crate::Standard>(received) { Ok(segment) } else { Err(Discard::BadChecksum) }
    }

    /// The same as a piece of code of its own.
    #[inline(never)]
    pub(crate) fn read_elsewhere(received: &Received<'a>) -> Result<Self, Discard> {
        Self::read(received)
    }

    /// Reads a segment and checks its lengths and ports. Whether it [is intact](Self::is_intact) is not asked yet.
    #[inline]
    pub(crate) fn read(received: &Received<'a>) -> Result<Self, Discard> {
        let Ok((header, rest)) = RawHeader::ref_from_prefix(received.payload) else { return Err(Discard::TooShort) };
        let offset = usize::from(header.offset >> 4) * 4;
        let Some((options, payload)) =
            offset.checked_sub(HEADER_LEN).and_then(|options| rest.split_at_checked(options))
        else {
            return Err(Discard::BadOffset);
        };
        if header.source == U16::ZERO || header.destination == U16::ZERO {
            return Err(Discard::BadPort);
        }
        Ok(Segment {
            source_port: header.source.get(),
            destination_port: header.destination.get(),
            seq: SequenceNumber(header.seq.get()),
            ack: SequenceNumber(header.ack.get()),
            flags: Flags::from_bits_retain(header.flags),
            window: header.window.get(),
            accurate: header.offset & 1 != 0,
            ecn: received.ecn,
            options,
            payload,
        })
    }

    /// Whether the checksum is right, or the device found it so.
    #[inline]
    pub(crate) fn is_intact<P: Profile>(&self, received: &Received<'_>) -> bool {
        let bytes = received.payload;
        received.checksum != ReceivedChecksum::Unchecked
            || Sum::ZERO
                .pseudo_header(received.source, received.destination, Protocol::TCP.0, bytes.len() as u32)
                .add_sum(if P::STRAIGHT { sum_of_few(bytes) } else { Sum::of(bytes) })
                .is_valid()
    }

    /// How many sequence numbers it occupies: its payload, SYN and FIN.
    pub(crate) fn len(&self) -> u32 {
        // An IP packet carries less than 2^16 bytes, a device's merged one less than 2^32.
        self.payload.len() as u32
            + u32::from(self.flags.contains(Flags::SYN))
            + u32::from(self.flags.contains(Flags::FIN))
    }

    /// The sequence number behind its last.
    pub(crate) fn end(&self) -> SequenceNumber {
        self.seq.add(self.len())
    }
}

/// A header to be written; options and payload come separately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Header {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) seq: SequenceNumber,
    pub(crate) ack: SequenceNumber,
    pub(crate) flags: Flags,
    /// The bit beside the flags (AE, RFC 9768).
    pub(crate) accurate: bool,
    pub(crate) window: u16,
}

/// Who completes the checksum of a segment that goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// We do.
    Complete,
    /// The device does; the field gets the pseudo-header's sum. The packet carries [`PARTIAL_CHECKSUM`].
    Partial,
}

impl Checksum {
    /// The device does, if it can.
    #[inline(always)]
    pub(crate) fn by(device: bool) -> Self {
        if device { Self::Partial } else { Self::Complete }
    }

    /// What the packet says of it.
    #[inline(always)]
    pub(crate) fn for_device(self) -> Option<PartialChecksum> {
        (self == Self::Partial).then_some(PARTIAL_CHECKSUM)
    }
}

/// Where a device finds the checksum it shall complete.
pub(crate) const PARTIAL_CHECKSUM: PartialChecksum = PartialChecksum { start: 0, offset: CHECKSUM_AT as u16 };

/// The options of a segment that goes out.
#[derive(Clone, Copy)]
pub(crate) enum Options<'o> {
    /// Timestamps alone, with the usual padding: our value, and what it echoes.
    Stamps(u32, u32),
    /// These bytes: a multiple of four, at most 40.
    Bytes(&'o [u8]),
}

impl Options<'_> {
    /// How many bytes they are.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Stamps(..) => STAMPED_LEN - HEADER_LEN,
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    #[inline(always)]
    fn sum(&self) -> Sum {
        match self {
            Self::Stamps(value, echo) => Sum::ZERO.add_u32(STAMPS).add_u64(pair(*value, *echo)),
            Self::Bytes([]) => Sum::ZERO,
            Self::Bytes(bytes) => Sum::of(bytes),
        }
    }
}

/// A header with timestamps, and nothing else behind the usual ones, in words of 32 bits: that of most segments.
#[derive(Clone, Copy)]
pub(crate) struct Stamped {
    /// [`pseudo_v4`] of both ends.
    pub(crate) pseudo: u64,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) seq: SequenceNumber,
    pub(crate) ack: SequenceNumber,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    pub(crate) value: u32,
    pub(crate) echo: u32,
}

impl Stamped {
    /// Writes the segment whose header is `header`, in the place of the call: the payload first, so that nothing of the header
    /// has to be kept meanwhile.
    #[inline(always)]
    pub(crate) fn write(header: &impl Fn() -> Self, writer: &mut FrameWriter<'_>, piece: &[u8]) {
        // The only copy on the way out: the block keeps the bytes until they are acknowledged.
        writer.put_headed_short(
            piece,
            #[inline(always)]
            |body| header().bytes(body, piece.len()),
        );
    }

    /// The segment without any payload.
    #[inline(always)]
    pub(crate) fn bare(self) -> [u8; STAMPED_LEN] {
        self.bytes(Sum::ZERO, 0)
    }

    /// The header of a segment whose `len` bytes of payload have the sum `body`.
    #[inline(always)]
    fn bytes(self, body: Sum, len: usize) -> [u8; STAMPED_LEN] {
        let ports = u32::from(self.source_port) << 16 | u32::from(self.destination_port);
        let rest = (STAMPED_LEN as u32 / 4) << 28 | u32::from(self.flags.bits()) << 16 | u32::from(self.window);
        let words = [ports, self.seq.0, self.ack.0, rest, STAMPS, self.value, self.echo];
        // No carry: they are a dozen numbers of 32 bits.
        let sum = self.pseudo + words.into_iter().map(u64::from).sum::<u64>() + (STAMPED_LEN + len) as u64;
        let checksum = Sum::ZERO.add_u64(sum).add_sum(body).finish();
        let mut bytes = [0; STAMPED_LEN];
        bytes[..8].copy_from_slice(&pair(ports, self.seq.0).to_be_bytes());
        bytes[8..16].copy_from_slice(&pair(self.ack.0, rest).to_be_bytes());
        bytes[CHECKSUM_AT..24].copy_from_slice(&pair(u32::from(checksum) << 16, STAMPS).to_be_bytes());
        bytes[24..].copy_from_slice(&pair(self.value, self.echo).to_be_bytes());
        bytes
    }
}

/// The headers of segments that differ in their number, their flags and their payload only.
#[derive(Clone, Copy)]
pub(crate) struct Template<'o> {
    /// The first sixteen bytes but for number and flags.
    first: u64,
    second: u64,
    options: Options<'o>,
    checksum: Checksum,
    /// The sum of the pseudo-header but for the length, and of the header but for number and flags.
    sum: Sum,
}

impl<'o> Template<'o> {
    /// Headers between two ends, with the sum of their pseudo-header but for the length.
    #[inline(always)]
    pub(crate) fn new(pseudo: Sum, header: &Header, options: Options<'o>, checksum: Checksum) -> Self {
        let ports = u32::from(header.source_port) << 16 | u32::from(header.destination_port);
        let words = ((HEADER_LEN + options.len()) / 4) as u32;
        let offset = words << 28 | u32::from(header.accurate) << 24;
        let (first, second) = (pair(ports, 0), pair(header.ack.0, offset | u32::from(header.window)));
        let mut sum = pseudo;
        if checksum == Checksum::Complete {
            sum = sum.add_u64(first).add_u64(second).add_sum(options.sum());
        }
        Self { first, second, options, checksum, sum }
    }

    /// Writes header and options, with number and flags.
    #[inline]
    fn put(&self, writer: &mut FrameWriter<'_>, seq: SequenceNumber, flags: Flags) {
        let first = self.first | u64::from(seq.0);
        let second = self.second | u64::from(flags.bits()) << 16;
        match self.options {
            Options::Stamps(value, echo) => {
                let mut bytes = [0; STAMPED_LEN];
                bytes[..8].copy_from_slice(&first.to_be_bytes());
                bytes[8..16].copy_from_slice(&second.to_be_bytes());
                bytes[16..24].copy_from_slice(&u64::from(STAMPS).to_be_bytes());
                bytes[24..].copy_from_slice(&pair(value, echo).to_be_bytes());
                writer.put_header(&bytes);
            }
            Options::Bytes(options) => {
                let mut bytes = [0; HEADER_LEN];
                bytes[..8].copy_from_slice(&first.to_be_bytes());
                bytes[8..16].copy_from_slice(&second.to_be_bytes());
                writer.put_header(&bytes);
                if !options.is_empty() {
                    writer.put(options);
                }
            }
        }
    }

    /// Writes a segment with one piece of payload: the usual ones in the place of the call.
    #[inline(always)]
    pub(crate) fn write_piece(&self, writer: &mut FrameWriter<'_>, seq: SequenceNumber, flags: Flags, piece: &[u8]) {
        match self.options {
            Options::Stamps(value, echo) => self.write_headed::<STAMPED_LEN>(writer, seq, flags, piece, |bytes| {
                bytes[20..24].copy_from_slice(&STAMPS.to_be_bytes());
                bytes[24..].copy_from_slice(&pair(value, echo).to_be_bytes());
            }),
            Options::Bytes([]) => self.write_headed::<HEADER_LEN>(writer, seq, flags, piece, |_| {}),
            Options::Bytes(_) => self.write(writer, seq, flags, [piece]),
        }
    }

    /// The header of segments with `len` bytes of payload each, as far as it is the same for all, with the `flags` of all but
    /// the last and of the last; `None` unless it is `N` bytes long and one of the usual.
    #[inline]
    pub(crate) fn mould<const N: usize>(&self, len: u32, flags: [Flags; 2]) -> Option<Mould<N>> {
        let mut bytes = [0; N];
        match (self.options, bytes.get_mut(HEADER_LEN..)?) {
            (Options::Stamps(value, echo), options) if N == STAMPED_LEN => {
                options.get_mut(..4)?.copy_from_slice(&STAMPS.to_be_bytes());
                options.get_mut(4..)?.copy_from_slice(&pair(value, echo).to_be_bytes());
            }
            (Options::Bytes([]), []) => {}
            _ => return None,
        }
        let sum = self.sum.add_u64(N as u64 + u64::from(len));
        let is_partial = self.checksum == Checksum::Partial;
        if is_partial {
            bytes.get_mut(CHECKSUM_AT..18)?.copy_from_slice(&sum.partial().to_be_bytes());
        }
        let [usual, last] = flags.map(|flags| Second((self.second | u64::from(flags.bits()) << 16).to_be_bytes()));
        Some(Mould { first: self.first, bytes, is_partial, sum: sum.words(), usual, last })
    }

    /// Writes such a segment, with the options that `options` puts into a header of `N` bytes.
    #[inline(always)]
    fn write_headed<const N: usize>(
        &self,
        writer: &mut FrameWriter<'_>,
        seq: SequenceNumber,
        flags: Flags,
        piece: &[u8],
        options: impl FnOnce(&mut [u8; N]),
    ) {
        let len = (N + piece.len()) as u64;
        let header = identity(
            #[inline(always)]
            |checksum| self.header(seq, flags, checksum, options),
        );
        // The only copy on the way out: the block keeps the bytes until they are acknowledged.
        match self.checksum {
            Checksum::Complete => {
                // Three numbers of 32 bits fit.
                let sum = self.sum.add_u64(u64::from(seq.0) + u64::from(flags.bits()) + len);
                writer.put_headed(
                    piece,
                    #[inline(always)]
                    |body| header(sum.add_sum(body).finish()),
                );
            }
            Checksum::Partial => writer.put_behind(header(self.sum.add_u64(len).partial()), piece),
        }
    }

    /// A header of `N` bytes, with the options that `options` puts into it.
    #[inline(always)]
    fn header<const N: usize>(
        &self,
        seq: SequenceNumber,
        flags: Flags,
        checksum: u16,
        options: impl FnOnce(&mut [u8; N]),
    ) -> [u8; N] {
        let mut bytes = [0; N];
        bytes[..8].copy_from_slice(&(self.first | u64::from(seq.0)).to_be_bytes());
        bytes[8..16].copy_from_slice(&(self.second | u64::from(flags.bits()) << 16).to_be_bytes());
        bytes[CHECKSUM_AT..18].copy_from_slice(&checksum.to_be_bytes());
        options(&mut bytes);
        bytes
    }

    /// Writes a segment and, when all is there, the checksum.
    #[inline]
    pub(crate) fn write<'p>(
        &self,
        writer: &mut FrameWriter<'_>,
        seq: SequenceNumber,
        flags: Flags,
        payload: impl IntoIterator<Item = &'p [u8]>,
    ) {
        let start = writer.len();
        self.put(writer, seq, flags);
        let mut body = Sum::ZERO;
        for piece in payload {
            // The only copy on the way out: the block keeps the bytes until they are acknowledged.
            match self.checksum {
                Checksum::Complete => body = body.add_sum(writer.put_summed(piece)),
                Checksum::Partial => writer.put(piece),
            }
        }
        let len = writer.len().saturating_sub(start) as u64;
        let value = match self.checksum {
            // Three numbers of 32 bits fit.
            Checksum::Complete => {
                let rest = u64::from(seq.0) + u64::from(flags.bits()) + len;
                self.sum.add_u64(rest).add_sum(body).finish()
            }
            Checksum::Partial => self.sum.add_u64(len).partial(),
        };
        writer.patch(start + CHECKSUM_AT, &value.to_be_bytes());
    }
}

/// The sum of a segment that is likely to be one of those without data, whose length is that of a header with the usual options.
fn sum_of_few(bytes: &[u8]) -> Sum {
    if let Ok(bytes) = <&[u8; SYN_LEN]>::try_from(bytes) {
        Sum::of_array(bytes)
    } else if let Ok(bytes) = <&[u8; STAMPED_LEN]>::try_from(bytes) {
        Sum::of_array(bytes)
    } else {
        Sum::of(bytes)
    }
}

/// Writes a segment: the header, `options` (a multiple of four bytes, at most 40), the slices of `payload` and, when
/// all is there, the checksum.
pub(crate) fn write_segment<'p>(
    writer: &mut FrameWriter<'_>,
    ends: (IpAddr, IpAddr),
    header: &Header,
    options: &[u8],
    payload: impl IntoIterator<Item = &'p [u8]>,
    checksum: Checksum,
) {
    let pseudo = Sum::ZERO.pseudo_header(ends.0, ends.1, Protocol::TCP.0, 0);
    let template = Template::new(pseudo, header, Options::Bytes(options), checksum);
    template.write(writer, header.seq, header.flags, payload);
}

/// The ports and the sequence number at the start of a segment of ours that an ICMP error quotes; the rest of the
/// header may be missing there.
pub(crate) fn parse_quoted(quoted: &[u8]) -> Option<(u16, u16, SequenceNumber)> {
    let (&[s1, s0, d1, d0, q3, q2, q1, q0], _) = quoted.split_first_chunk()?;
    let seq = SequenceNumber(u32::from_be_bytes([q3, q2, q1, q0]));
    Some((u16::from_be_bytes([s1, s0]), u16::from_be_bytes([d1, d0]), seq))
}

/// Length of a header without options.
pub(crate) const HEADER_LEN: usize = size_of::<RawHeader>();

const CHECKSUM_AT: usize = 16;
/// Length of a header with timestamps and their padding.
pub(crate) const STAMPED_LEN: usize = HEADER_LEN + 12;
/// Length of a header with what nearly every SYN says: segment size, selective acknowledgments, timestamps and window scale.
pub(crate) const SYN_LEN: usize = HEADER_LEN + 20;
/// What goes before two timestamps alone (RFC 7323, appendix A): two no-operations, kind and length.
pub(crate) const STAMPS: u32 = 0x0101_080a;

/// A header of `N` bytes in which the number, the flags and the checksum are missing.
#[derive(Clone, Copy)]
pub(crate) struct Mould<const N: usize> {
    /// The first eight bytes but for the number.
    first: u64,
    /// What lies behind the first sixteen bytes; with the checksum if a device is to complete it.
    bytes: [u8; N],
    is_partial: bool,
    /// What is summed but number, flags and payload: [`Sum::words`].
    sum: u64,
    /// The second eight bytes, of all segments but the last and of that.
    pub(crate) usual: Second,
    pub(crate) last: Second,
}

/// Eight bytes of a header, with the flags.
#[derive(Clone, Copy)]
pub(crate) struct Second([u8; 8]);

impl Second {
    /// What the flags add to the sum.
    #[inline(always)]
    fn flags(self) -> u64 {
        let [.., flags, _, _] = self.0;
        flags.into()
    }
}

/// What is not in the [`Mould`] of a segment.
// Not `Copy`: what is made of it is called once, and in one place.
pub(crate) struct Cast<'p> {
    pub(crate) seq: SequenceNumber,
    pub(crate) second: Second,
    pub(crate) piece: &'p [u8],
}

impl<const N: usize> Mould<N> {
    /// Writes a segment with one piece of payload.
    #[inline(always)]
    pub(crate) fn write(&self, writer: &mut FrameWriter<'_>, cast: Cast<'_>) {
        let Cast { seq, second, piece } = cast;
        let start = identity(
            #[inline(always)]
            || {
                let mut bytes = self.bytes;
                bytes[..8].copy_from_slice(&(self.first | u64::from(seq.0)).to_be_bytes());
                bytes[8..16].copy_from_slice(&second.0);
                bytes
            },
        );
        match self.is_partial {
            true => writer.put_behind(start(), piece),
            false => {
                let sum = Sum::ZERO.add_u64(self.sum).add_u64(u64::from(seq.0) + second.flags());
                writer.put_headed(
                    piece,
                    #[inline(always)]
                    |body| {
                        let mut bytes = start();
                        bytes[CHECKSUM_AT..18].copy_from_slice(&sum.add_sum(body).finish().to_be_bytes());
                        bytes
                    },
                );
            }
        }
    }
}

/// The word of 32 bits that begins `at` bytes from the start of a header, which is long enough.
#[inline(always)]
pub(crate) fn word<const N: usize>(header: &[u8; N], at: usize) -> u32 {
    header.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u32::from_be_bytes(*word))
}

/// The sum of the pseudo-header of IPv4 but for the length, either way: three numbers of 32 bits.
#[inline(always)]
pub(crate) fn pseudo_v4(one: Ipv4Addr, other: Ipv4Addr) -> u64 {
    u64::from(one.to_bits()) + u64::from(other.to_bits()) + u64::from(Protocol::TCP.0)
}

/// Two words side by side, as they lie in a header.
#[inline]
pub(crate) fn pair(first: u32, second: u32) -> u64 {
    u64::from(first) << 32 | u64::from(second)
}

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawHeader {
    source: U16,
    destination: U16,
    seq: U32,
    ack: U32,
    /// Header length in words of four bytes, in the upper half; the lowest bit is a flag (RFC 9768).
    offset: u8,
    flags: u8,
    window: U16,
    checksum: U16,
    urgent: U16,
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use super::*;

    const HERE_V4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const THERE_V4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
    const HERE: IpAddr = IpAddr::V4(HERE_V4);
    const THERE: IpAddr = IpAddr::V4(THERE_V4);

    fn written(header: &Header, options: &[u8], payload: &[&[u8]], checksum: Checksum) -> Vec<u8> {
        let mut buffer = [0xee; 2048];
        let mut writer = FrameWriter::new(&mut buffer);
        writer.put(b"an IP header");
        let start = writer.len();
        write_segment(&mut writer, (HERE, THERE), header, options, payload.iter().copied(), checksum);
        writer.written()[start..].to_vec()
    }

    fn header() -> Header {
        Header {
            source_port: 49152,
            destination_port: 80,
            seq: SequenceNumber(0xfedc_ba98),
            ack: SequenceNumber(7),
            flags: Flags::ACK | Flags::PSH,
            accurate: false,
            window: 512,
        }
    }

    proptest! {
        #[test]
        fn a_bare_header_is_written_like_any_other(
            seq: u32, ack: u32, window: u16, flags: u8, stamps: (u32, u32),
        ) {
            let header = Header {
                seq: SequenceNumber(seq),
                ack: SequenceNumber(ack),
                flags: Flags::from_bits_retain(flags),
                window,
                ..header()
            };
            let stamped = Stamped {
                pseudo: pseudo_v4(HERE_V4, THERE_V4),
                source_port: header.source_port,
                destination_port: header.destination_port,
                seq: header.seq,
                ack: header.ack,
                flags: header.flags,
                window,
                value: stamps.0,
                echo: stamps.1,
            };
            let mut options = [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0];
            options[4..8].copy_from_slice(&stamps.0.to_be_bytes());
            options[8..].copy_from_slice(&stamps.1.to_be_bytes());
            prop_assert_eq!(&stamped.bare()[..], &written(&header, &options, &[], Checksum::Complete)[..]);
        }
    }

    #[test]
    fn a_segment_is_written_as_the_rfc_draws_it() {
        let bytes = written(&header(), &[1, 1, 1, 0], &[b"he", b"llo"], Checksum::Complete);
        assert_eq!(bytes[..4], [0xc0, 0, 0, 80]);
        assert_eq!(bytes[4..12], [0xfe, 0xdc, 0xba, 0x98, 0, 0, 0, 7]);
        assert_eq!(bytes[12..16], [0x60, 0x18, 2, 0]);
        assert_eq!(bytes[18..], *b"\0\0\x01\x01\x01\0hello");
    }

    #[test]
    fn a_payload_of_an_odd_length_is_summed_rightly() {
        for payload in [&b"x"[..], b"xyz", b"xy"] {
            let bytes = written(&header(), &[], &[payload, b"z"], Checksum::Complete);
            assert_eq!(Segment::parse(&Received::new(HERE, THERE, &bytes)).unwrap().payload.len(), payload.len() + 1);
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let mut bytes = written(&header(), &[], &[b"payload"], Checksum::Complete);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Segment::parse(&Received::new(HERE, THERE, &bytes)).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(Segment::parse(&Received::new(HERE, THERE, &bytes)).is_ok());
        let misdelivered = Received::new(HERE, IpAddr::V4(Ipv4Addr::new(10, 0, 0, 3)), &bytes);
        assert_eq!(Segment::parse(&misdelivered).unwrap_err(), Discard::BadChecksum);
    }

    #[test]
    fn the_checksum_is_not_looked_at_when_the_device_did() {
        let mut bytes = written(&header(), &[], &[b"payload"], Checksum::Complete);
        bytes[16] ^= 1;
        let mut received = Received::new(HERE, THERE, &bytes);
        assert_eq!(Segment::parse(&received).unwrap_err(), Discard::BadChecksum);
        for trusted in [ReceivedChecksum::Verified, ReceivedChecksum::Partial] {
            received.checksum = trusted;
            assert!(Segment::parse(&received).is_ok());
        }
    }

    #[test]
    fn a_device_can_complete_a_partial_checksum() {
        let whole = written(&header(), &[], &[b"pay", b"load"], Checksum::Complete);
        let mut partial = written(&header(), &[], &[b"pay", b"load"], Checksum::Partial);
        let at = usize::from(PARTIAL_CHECKSUM.offset);
        let value = Sum::of(&partial).finish();
        partial[at..at + 2].copy_from_slice(&value.to_be_bytes());
        assert_eq!(partial, whole);
    }

    #[test]
    fn a_segment_cut_anywhere_in_its_header_is_refused() {
        let bytes = written(&header(), &[1; 8], &[], Checksum::Complete);
        for len in 0..bytes.len() {
            let mut received = Received::new(HERE, THERE, &bytes[..len]);
            received.checksum = ReceivedChecksum::Verified;
            let expected = if len < HEADER_LEN { Discard::TooShort } else { Discard::BadOffset };
            assert_eq!(Segment::parse(&received).unwrap_err(), expected, "{len} bytes");
        }
    }

    #[test]
    fn an_offset_into_the_header_and_a_port_of_zero_are_refused() {
        let mut bytes = written(&header(), &[], &[b"payload"], Checksum::Complete);
        bytes[12] = 0x40;
        let parsed = |bytes: &[u8]| {
            let received = Received { checksum: ReceivedChecksum::Verified, ..Received::new(HERE, THERE, bytes) };
            Segment::parse(&received).map(|_| ()).unwrap_err()
        };
        assert_eq!(parsed(&bytes), Discard::BadOffset);
        let bytes = written(&Header { source_port: 0, ..header() }, &[], &[], Checksum::Complete);
        assert_eq!(parsed(&bytes), Discard::BadPort);
        let bytes = written(&Header { destination_port: 0, ..header() }, &[], &[], Checksum::Complete);
        assert_eq!(parsed(&bytes), Discard::BadPort);
    }

    #[test]
    fn syn_and_fin_each_count_as_one() {
        let bytes =
            written(&Header { flags: Flags::SYN | Flags::FIN, ..header() }, &[], &[b"1234"], Checksum::Complete);
        let received = Received::new(HERE, THERE, &bytes);
        let segment = Segment::parse(&received).unwrap();
        assert_eq!(segment.len(), 6);
        assert_eq!(segment.end(), header().seq.add(6));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            ports: (u16, u16), seq: u32, ack: u32, flags: u8, window: u16, words in 0_usize..=10,
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..4),
        ) {
            prop_assume!(ports.0 != 0 && ports.1 != 0);
            let header = Header {
                source_port: ports.0, destination_port: ports.1, seq: SequenceNumber(seq), ack: SequenceNumber(ack),
                flags: Flags::from_bits_retain(flags), accurate: window % 2 == 1, window,
            };
            let options = [1; 40];
            let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let bytes = written(&header, &options[..words * 4], &slices, Checksum::Complete);
            let segment = Segment::parse(&Received::new(HERE, THERE, &bytes)).unwrap();
            prop_assert_eq!((segment.source_port, segment.destination_port), ports);
            prop_assert_eq!((segment.seq.0, segment.ack.0), (seq, ack));
            prop_assert_eq!((segment.flags, segment.window), (header.flags, window));
            prop_assert_eq!(segment.options.len(), words * 4);
            prop_assert_eq!(segment.payload, pieces.concat());
            prop_assert_eq!(parse_quoted(&bytes), Some((ports.0, ports.1, header.seq)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let received = Received { checksum: ReceivedChecksum::Verified, ..Received::new(HERE, THERE, &bytes) };
            if let Ok(segment) = Segment::parse(&received) {
                prop_assert_eq!(HEADER_LEN + segment.options.len() + segment.payload.len(), bytes.len());
            }
        }
    }
}
