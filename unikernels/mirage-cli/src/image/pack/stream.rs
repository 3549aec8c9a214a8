//! The packed form of bytes, as [`stub`](mod@super::stub) unpacks it.
//!
//! A stream of bits, the highest of each byte first, between bytes that are literal: a byte of bits lies where the first of
//! them is read. It begins behind a copy:
//!
//! ```text
//! behind a copy:      0  literals    length, then as many bytes
//!                     1  copy        distance, length - 1
//! behind literals:    0  copy again  length; the distance is that of the last copy
//!                     1  copy        distance, length - 1
//! ```
//!
//! A length is a gamma code: for each bit below its highest a 0 and the bit, then a 1. A distance, less one, is its upper
//! bits, plus one, as a length, and a literal byte with the lower eight. There is no mark at the end: who unpacks knows how
//! many bytes there are.

/// `bytes`, packed as small as is found in about a second for each megabyte.
pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new(), place: 0, left: 0 };
    let (mut at, mut distance) = (0, 0);
    for step in cheapest(bytes) {
        match step {
            Step::Literals(len) => {
                writer.bit(false);
                writer.number(len);
                writer.bytes.extend_from_slice(&bytes[at..at + len]);
                at += len;
            }
            Step::Copy { distance: new, len, again } => {
                writer.bit(!again);
                if again {
                    debug_assert_eq!(new, distance, "only the last distance is known");
                    writer.number(len);
                } else {
                    writer.number(((new - 1) >> 8) + 1);
                    writer.bytes.push((new - 1) as u8);
                    writer.number(len - 1);
                }
                distance = new;
                at += len;
            }
        }
    }
    writer.bytes
}

/// A part of the stream.
#[derive(Clone, Copy, Debug)]
enum Step {
    Literals(usize),
    Copy { distance: usize, len: usize, again: bool },
}

/// The cheapest way that is known to the first so many bytes, by what it ends with.
#[derive(Clone, Copy, Debug)]
struct Way {
    bits: u32,
    /// How long its last step is.
    len: u32,
    /// The distance of the last copy, in this step or before.
    distance: u32,
    /// It is a copy at the distance of the one before.
    again: bool,
}

const NO_WAY: Way = Way { bits: u32::MAX, len: 0, distance: 0, again: false };

/// The steps that make `bytes` of what is before them, in the least bits that were found.
fn cheapest(bytes: &[u8]) -> Vec<Step> {
    let end = bytes.len();
    // Behind literals and behind a copy.
    let (mut literals, mut copies) = (vec![NO_WAY; end + 1], vec![NO_WAY; end + 1]);
    copies[0] = Way { bits: 0, ..NO_WAY };
    let mut chains = Chains::new(end);
    // Where the run of literals begins that is the best so far: a longer one is best from there, or from close by.
    let mut start = 0;
    for at in 0..end {
        let same =
            |distance: usize| bytes[at..].iter().zip(&bytes[at - distance..]).take_while(|(a, b)| a == b).count();
        let better = |place: &mut Way, way: Way| {
            if way.bits < place.bits {
                *place = way;
            }
        };
        let behind = literals[at];
        if behind.bits != u32::MAX && behind.distance > 0 {
            let distance = behind.distance as usize;
            for len in 1..=same(distance) {
                let bits = behind.bits + 1 + gamma(len);
                better(&mut copies[at + len], Way { bits, len: len as u32, distance: behind.distance, again: true });
            }
        }
        // Nearer ones come first, and cost no more: a farther one is only worth its length.
        let from = literals[at].bits.min(copies[at].bits);
        let mut longest = 1;
        for distance in chains.at(bytes, at).take(TRIED) {
            let len = same(distance);
            let bits = from + 1 + gamma(((distance - 1) >> 8) + 1) + 8;
            for len in longest + 1..=len {
                let bits = bits + gamma(len - 1);
                better(&mut copies[at + len], Way { bits, len: len as u32, distance: distance as u32, again: false });
            }
            longest = longest.max(len);
            if longest >= ENOUGH {
                break;
            }
        }
        chains.enter(bytes, at);
        let run = |start: usize| match copies[start] {
            Way { bits: u32::MAX, .. } => NO_WAY,
            Way { bits, distance, .. } => {
                let len = at + 1 - start;
                Way { bits: bits + 1 + gamma(len) + 8 * len as u32, len: len as u32, distance, again: false }
            }
        };
        for from in (at.saturating_sub(NEAR)..=at).chain([start]) {
            if run(from).bits < literals[at + 1].bits {
                literals[at + 1] = run(from);
                start = from;
            }
        }
    }
    let mut steps = Vec::new();
    let (mut at, mut copied) = (end, copies[end].bits < literals[end].bits);
    while at > 0 {
        let way = if copied { copies[at] } else { literals[at] };
        let len = way.len as usize;
        steps.push(match copied {
            true => Step::Copy { distance: way.distance as usize, len, again: way.again },
            false => Step::Literals(len),
        });
        at -= len;
        copied = match copied {
            // A copy at a new distance comes behind what is cheaper there.
            true => !way.again && copies[at].bits <= literals[at].bits,
            false => true,
        };
    }
    steps.reverse();
    steps
}

/// Places of equal bytes that are tried for a copy.
const TRIED: usize = 512;
/// A copy that is so long needs no better one.
const ENOUGH: usize = 1_024;
/// How far back runs of literals are looked for besides the best.
const NEAR: usize = 24;

/// Bits of a length.
const fn gamma(number: usize) -> u32 {
    2 * number.ilog2() + 1
}

/// Where each pair of bytes was before.
struct Chains {
    /// The last place of each pair, plus one.
    last: Vec<u32>,
    /// For each place the one before with the same pair, plus one.
    before: Vec<u32>,
}

impl Chains {
    fn new(len: usize) -> Self {
        Self { last: vec![0; 1 << 16], before: vec![0; len] }
    }

    fn pair(bytes: &[u8], at: usize) -> Option<usize> {
        bytes.get(at..at + 2).map(|pair| usize::from(pair[0]) << 8 | usize::from(pair[1]))
    }

    fn enter(&mut self, bytes: &[u8], at: usize) {
        if let Some(pair) = Self::pair(bytes, at) {
            self.before[at] = std::mem::replace(&mut self.last[pair], at as u32 + 1);
        }
    }

    /// The distances to the places with the pair at `at`, the nearest first.
    fn at(&self, bytes: &[u8], at: usize) -> impl Iterator<Item = usize> {
        let mut next = Self::pair(bytes, at).map_or(0, |pair| self.last[pair]);
        std::iter::from_fn(move || {
            let place = (next as usize).checked_sub(1)?;
            next = self.before[place];
            Some(at - place)
        })
    }
}

struct Writer {
    bytes: Vec<u8>,
    /// The byte that takes the next bits, of which so many are left.
    place: usize,
    left: u32,
}

impl Writer {
    fn bit(&mut self, bit: bool) {
        if self.left == 0 {
            (self.place, self.left) = (self.bytes.len(), 8);
            self.bytes.push(0);
        }
        self.left -= 1;
        self.bytes[self.place] |= u8::from(bit) << self.left;
    }

    fn number(&mut self, number: usize) {
        for bit in (0..number.ilog2()).rev() {
            self.bit(false);
            self.bit(number >> bit & 1 == 1);
        }
        self.bit(true);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the stub does.
    fn unpack(mut packed: &[u8], len: usize) -> Vec<u8> {
        let mut byte = || {
            let (first, rest) = packed.split_first().expect("a byte");
            packed = rest;
            *first
        };
        // The stub's register: what is left of a byte, and a one behind it.
        let mut bits = 0x80_u8;
        let mut bit = |byte: &mut dyn FnMut() -> u8| {
            let mut carry = bits >> 7;
            bits <<= 1;
            if bits == 0 {
                let next = byte();
                bits = next << 1 | carry;
                carry = next >> 7;
            }
            carry == 1
        };
        let number = |bit: &mut dyn FnMut() -> bool| {
            let mut number = 1;
            while !bit() {
                number = number << 1 | usize::from(bit());
            }
            number
        };
        let (mut unpacked, mut distance, mut copied) = (Vec::<u8>::new(), 0, true);
        while unpacked.len() < len {
            let is_new = bit(&mut byte);
            if copied && !is_new {
                for _ in 0..number(&mut || bit(&mut byte)) {
                    unpacked.push(byte());
                }
                copied = false;
                continue;
            }
            let mut extra = 0;
            if is_new {
                distance = ((number(&mut || bit(&mut byte)) - 1) << 8 | usize::from(byte())) + 1;
                extra = 1;
            }
            for _ in 0..number(&mut || bit(&mut byte)) + extra {
                unpacked.push(unpacked[unpacked.len() - distance]);
            }
            copied = true;
        }
        assert!(packed.is_empty(), "nothing is left over");
        unpacked
    }

    #[test]
    fn what_repeats_is_small() {
        let text = b"one thing, one file, its own name; ".repeat(200);
        let packed = pack(&text);
        assert!(packed.len() < 60, "{} bytes", packed.len());
        assert_eq!(unpack(&packed, text.len()), text);
    }

    #[test]
    fn what_does_not_repeat_hardly_grows() {
        let noise: Vec<u8> = (0..2_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(pack(&noise).len() < noise.len() + 8);
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out_again(
            parts in prop::collection::vec((prop::collection::vec(0_u8..5, 1..40), 1_usize..6), 1..30),
        ) {
            let bytes: Vec<u8> = parts.iter().flat_map(|(part, times)| part.repeat(*times)).collect();
            prop_assert_eq!(unpack(&pack(&bytes), bytes.len()), bytes);
        }
    }
}
