//! Segments as scripts write them: `P. 1:1461 ack 1 win 65535 urg 3 <nop, nop, sack 5:9>`.

use mirage_protocols::Ecn;

use super::number::{Number, Span, parse};
use super::options::{self, Origin};
use super::support::{ACK, FIN, PSH, Peer, RST, SYN, Segment, URG};

/// A segment of a script.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    flags: u8,
    /// The bit beside the flags, `A` (RFC 9768).
    accurate: bool,
    seq: Number,
    len: u32,
    ack: Option<Number>,
    window: Option<Span>,
    urgent: Option<u16>,
    /// What the IP header says of congestion.
    ecn: Ecn,
    /// Between `<` and `>`.
    options: Option<&'a str>,
}

const NAMES: [(char, u8); 8] =
    [('S', SYN), ('F', FIN), ('R', RST), ('P', PSH), ('.', ACK), ('U', URG), ('E', 0x40), ('W', 0x80)];

impl<'a> Written<'a> {
    pub fn parse(words: &[&str], options: Option<&'a str>) -> Result<Self, String> {
        let [flags, numbers, rest @ ..] = words else {
            return Err("a segment is written `P. 1:1461 ack 1`".to_owned());
        };
        let mut bits = 0;
        for letter in flags.chars().filter(|letter| !matches!(letter, '-' | 'A')) {
            bits |= NAMES.iter().find(|(name, _)| *name == letter).ok_or(format!("no flag `{letter}`"))?.1;
        }
        let (from, to) = numbers.split_once(':').ok_or("numbers are written 1:1461")?;
        let seq = Number::parse(from)?;
        let len = parse::<i64>(to)? - parse::<i64>(from.trim_start_matches('='))?;
        let len = u32::try_from(len).map_err(|_| format!("`{numbers}` runs backwards"))?;
        let (accurate, ecn) = (flags.contains('A'), Ecn::NotCapable);
        let mut segment = Self { flags: bits, accurate, seq, len, ack: None, window: None, urgent: None, ecn, options };
        let (rest, ecn) = match rest {
            [rest @ .., "ect0"] => (rest, Ecn::Capable0),
            [rest @ .., "ect1"] => (rest, Ecn::Capable1),
            [rest @ .., "ce"] => (rest, Ecn::Congested),
            rest => (rest, Ecn::NotCapable),
        };
        segment.ecn = ecn;
        for pair in rest.chunks(2) {
            match pair {
                ["ack", number] => segment.ack = Some(Number::parse(number)?),
                ["win", window] => segment.window = Some(Span::parse(window)?),
                ["urg", urgent] => segment.urgent = Some(parse(urgent)?),
                _ => return Err(format!("`{}` says nothing about a segment", pair.join(" "))),
            }
        }
        if segment.ack.is_none() && bits & ACK != 0 {
            return Err("a segment with `.` needs `ack`".to_owned());
        }
        Ok(segment)
    }

    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The machine's initial sequence number, if `segment` is this one.
    pub fn initial(&self, segment: &Segment) -> u32 {
        match self.seq {
            Number::Relative(seq) => segment.seq.wrapping_sub(seq),
            Number::Absolute(_) => 0,
        }
    }

    /// The segment as the peer sends it.
    pub fn build(&self, peer: &Peer, origin: Origin) -> Result<Segment, String> {
        let mut segment = Segment::new(peer.there, peer.here, self.flags)
            .seq(self.seq.on_wire(peer.iss))
            .ack(self.ack.map_or(0, |ack| ack.on_wire(peer.irs)))
            .window(self.window.map_or(peer.window, |window| window.0 as u16))
            .options(&self.options.map_or(Ok(Vec::new()), |options| options::encode(options, origin))?);
        segment.urgent = self.urgent.unwrap_or(0);
        (segment.ecn, segment.accurate) = (self.ecn, self.accurate);
        segment.payload = content(segment.seq.wrapping_sub(peer.iss), segment.has(SYN), self.len as usize);
        Ok(segment)
    }

    /// What is wrong with what the machine sent.
    pub fn differs(&self, segment: &Segment, peer: &Peer, origin: Origin) -> Result<Option<&'static str>, String> {
        let options = options::matches(self.options.unwrap_or_default(), &options::decode(&segment.options, origin))?;
        let payload = content(segment.seq.wrapping_sub(peer.irs), segment.has(SYN), segment.payload.len());
        let checks = [
            ((segment.from, segment.to) == (peer.here, peer.there), "it is for somebody else"),
            ((self.flags, self.accurate) == (segment.flags, segment.accurate), "other flags"),
            (self.seq.on_wire(peer.irs) == segment.seq, "another number"),
            (self.len as usize == segment.payload.len(), "another length"),
            (self.ack.is_none_or(|ack| ack.on_wire(peer.iss) == segment.ack), "another acknowledgement"),
            (self.window.is_none_or(|window| window.contains(segment.window.into())), "another window"),
            (self.urgent.unwrap_or(0) == segment.urgent, "another urgent pointer"),
            (self.ecn == segment.ecn, "another word about congestion"),
            (options, "other options"),
            (segment.payload == payload, "other bytes"),
        ];
        Ok(checks.iter().find(|(right, _)| !right).map(|(_, what)| *what))
    }
}

/// What a segment of the machine is, as scripts write it.
pub fn show(segment: &Segment, peer: &Peer, origin: Origin) -> String {
    let flags = NAMES.iter().filter(|(_, bit)| segment.has(*bit)).map(|(name, _)| *name);
    let flags: String = flags.chain(segment.accurate.then_some('A')).collect();
    let seq = segment.seq.wrapping_sub(peer.irs);
    let mut text = format!("{flags} {seq}:{}", seq.wrapping_add(segment.payload.len() as u32));
    if segment.has(ACK) {
        text += &format!(" ack {}", segment.ack.wrapping_sub(peer.iss));
    }
    text += &format!(" win {}", segment.window);
    if segment.ecn != Ecn::NotCapable {
        text += &format!(" {:?}", segment.ecn);
    }
    if !segment.options.is_empty() {
        text += &format!(" <{}>", options::decode(&segment.options, origin));
    }
    if (segment.from, segment.to) != (peer.here, peer.there) {
        text += &format!(" from port {} to {}", segment.from.port(), segment.to);
    }
    text
}

/// The bytes of either stream from the number `seq` on: each shows where it belongs.
pub fn content(seq: u32, syn: bool, len: usize) -> Vec<u8> {
    let first = seq.wrapping_sub(u32::from(!syn));
    (0..len as u32).map(|place| byte(first.wrapping_add(place))).collect()
}

/// The byte at this place of either stream.
pub fn byte(place: u32) -> u8 {
    (place % 251) as u8
}
