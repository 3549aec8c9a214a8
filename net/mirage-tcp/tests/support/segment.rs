//! Segments as a test builds and reads them.

use core::net::SocketAddr;

use mirage_checksum::Sum;
use mirage_protocols::Ecn;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const PSH: u8 = 8;
pub const ACK: u8 = 16;
pub const URG: u8 = 32;
pub const ECE: u8 = 64;
pub const CWR: u8 = 128;

/// A segment with its ends.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub flags: u8,
    pub seq: u32,
    pub ack: u32,
    pub window: u16,
    pub urgent: u16,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
    /// The bit beside the flags.
    pub accurate: bool,
    /// What the IP header says of congestion.
    pub ecn: Ecn,
}

impl Segment {
    pub fn new(from: SocketAddr, to: SocketAddr, flags: u8) -> Self {
        let (options, payload) = (Vec::new(), Vec::new());
        Self {
            from,
            to,
            flags,
            seq: 0,
            ack: 0,
            window: 65_535,
            urgent: 0,
            options,
            payload,
            accurate: false,
            ecn: Ecn::NotCapable,
        }
    }

    pub fn seq(mut self, seq: u32) -> Self {
        self.seq = seq;
        self
    }

    pub fn ack(mut self, ack: u32) -> Self {
        self.ack = ack;
        self
    }

    pub fn window(mut self, window: u16) -> Self {
        self.window = window;
        self
    }

    pub fn urgent(mut self, urgent: u16) -> Self {
        self.urgent = urgent;
        self.flags |= URG;
        self
    }

    /// The counter of marks in the flags (RFC 9768).
    pub fn counter(mut self, bits: u8) -> Self {
        self.flags = self.flags & !(ECE | CWR) | (bits & 3) << 6;
        self.accurate = bits & 4 != 0;
        self
    }

    /// What that says.
    pub fn counted(&self) -> u8 {
        u8::from(self.accurate) << 2 | self.flags >> 6
    }

    pub fn ecn(mut self, ecn: Ecn) -> Self {
        self.ecn = ecn;
        self
    }

    pub fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self
    }

    pub fn data(mut self, payload: &[u8]) -> Self {
        self.payload = payload.to_vec();
        self
    }

    pub fn from(mut self, from: SocketAddr) -> Self {
        self.from = from;
        self
    }

    /// Whether these are its flags, PSH aside.
    pub fn is(&self, flags: u8) -> bool {
        self.flags & !PSH == flags
    }

    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// How many numbers it occupies.
    pub fn len(&self) -> u32 {
        self.payload.len() as u32 + u32::from(self.has(SYN)) + u32::from(self.has(FIN))
    }

    pub fn end(&self) -> u32 {
        self.seq.wrapping_add(self.len())
    }

    /// The option of this kind, without kind and length.
    pub fn option(&self, kind: u8) -> Option<&[u8]> {
        let mut rest = &self.options[..];
        loop {
            match rest {
                [] | [0, ..] => return None,
                [1, next @ ..] => rest = next,
                [found, len, ..] => {
                    let (option, next) = rest.split_at(usize::from(*len));
                    if *found == kind {
                        return Some(&option[2..]);
                    }
                    rest = next;
                }
                [_] => panic!("options end in the middle"),
            }
        }
    }

    /// As it goes on the wire, with its checksum.
    pub fn bytes(&self) -> Vec<u8> {
        let mut options = self.options.clone();
        options.resize(options.len().next_multiple_of(4), 0);
        let words = 5 + options.len() / 4;
        let mut bytes = Vec::new();
        bytes.extend(self.from.port().to_be_bytes());
        bytes.extend(self.to.port().to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.ack.to_be_bytes());
        bytes.extend([(words as u8) << 4 | u8::from(self.accurate), self.flags]);
        bytes.extend(self.window.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(self.urgent.to_be_bytes());
        bytes.extend(options);
        bytes.extend(&self.payload);
        let checksum = self.pseudo_header(bytes.len()).add_bytes(&bytes).finish();
        bytes[16..18].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// Reads what the machine sent and checks what every segment must be.
    pub fn read(from: core::net::IpAddr, to: core::net::IpAddr, bytes: &[u8], checksum_is_partial: bool) -> Self {
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let long = |at: usize| u32::from(word(at)) << 16 | u32::from(word(at + 2));
        let offset = usize::from(bytes[12] >> 4) * 4;
        assert!(offset >= 20 && offset <= bytes.len(), "data offset {offset} of {} bytes", bytes.len());
        let segment = Self {
            from: SocketAddr::new(from, word(0)),
            to: SocketAddr::new(to, word(2)),
            flags: bytes[13],
            seq: long(4),
            ack: long(8),
            window: word(14),
            urgent: word(18),
            options: bytes[20..offset].to_vec(),
            payload: bytes[offset..].to_vec(),
            accurate: bytes[12] & 1 != 0,
            ecn: Ecn::NotCapable,
        };
        let pseudo_header = segment.pseudo_header(bytes.len());
        match checksum_is_partial {
            true => assert_eq!(word(16), pseudo_header.partial(), "the partial checksum is the pseudo-header's sum"),
            false => assert!(pseudo_header.add_bytes(bytes).is_valid(), "checksum of {segment:?}"),
        }
        segment
    }

    fn pseudo_header(&self, len: usize) -> Sum {
        Sum::ZERO.pseudo_header(self.from.ip(), self.to.ip(), 6, len as u32)
    }
}

impl core::fmt::Debug for Segment {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names = [(SYN, 'S'), (FIN, 'F'), (RST, 'R'), (PSH, 'P'), (ACK, '.'), (URG, 'U'), (ECE, 'E'), (CWR, 'W')];
        let flags: String = names.iter().filter(|(flag, _)| self.has(*flag)).map(|(_, name)| name).collect();
        write!(f, "{}>{} {flags} seq {} ", self.from.port(), self.to.port(), self.seq)?;
        write!(f, "ack {} win {} len {}", self.ack, self.window, self.payload.len())
    }
}
