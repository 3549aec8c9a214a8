//! What can happen to two machines.

use alloc::vec::Vec;

/// Something that happens to two machines, each of its fields one byte. `side` is 0 or 1, `pair` one of a few connections,
/// both modulo what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The first machine opens a connection to the second.
    Connect,
    /// The second accepts one.
    Accept,
    /// An application writes up to `len` times 32 bytes.
    Write {
        /// Whose.
        side: u8,
        /// Where.
        pair: u8,
        /// How much.
        len: u8,
    },
    /// An application reads up to `len` times 32 bytes.
    Read {
        /// Whose.
        side: u8,
        /// Where.
        pair: u8,
        /// How much.
        len: u8,
    },
    /// An application ends its direction.
    End {
        /// Whose.
        side: u8,
        /// Where.
        pair: u8,
    },
    /// An application gives its connection back.
    Close {
        /// Whose.
        side: u8,
        /// Where.
        pair: u8,
    },
    /// An application breaks its connection off.
    Abort {
        /// Whose.
        side: u8,
        /// Where.
        pair: u8,
    },
    /// `count` packets that `side` sent arrive.
    Deliver {
        /// Whose.
        side: u8,
        /// How many.
        count: u8,
    },
    /// One of the packets that `side` sent is lost.
    Lose {
        /// Whose.
        side: u8,
        /// Which.
        which: u8,
    },
    /// One of the packets that `side` sent arrives twice.
    Double {
        /// Whose.
        side: u8,
        /// Which.
        which: u8,
    },
    /// One of the packets that `side` sent overtakes all others.
    Overtake {
        /// Whose.
        side: u8,
        /// Which.
        which: u8,
    },
    /// A bit of one of the packets that `side` sent flips.
    Damage {
        /// Whose.
        side: u8,
        /// Which.
        which: u8,
        /// Where in it.
        bit: u8,
    },
    /// Somebody else sends a segment to `side`.
    Stranger {
        /// To whom.
        side: u8,
        /// Its flags.
        flags: u8,
        /// Where its number and port come from.
        seed: u8,
    },
    /// A router says that a packet of `side` cannot be delivered.
    Unreachable {
        /// Whose.
        side: u8,
        /// Which.
        which: u8,
    },
    /// `side`'s device takes `room` packets and no more until this happens again.
    Device {
        /// Whose.
        side: u8,
        /// How many; all when it is 0.
        room: u8,
    },
    /// Time passes: 5 ms times the square of `span`.
    Pass {
        /// How much.
        span: u8,
    },
}

impl Operation {
    /// The operations that `bytes` stand for. Every byte string stands for some, and the more there are of them.
    pub fn read_all(bytes: &[u8]) -> Vec<Self> {
        let mut bytes = bytes.iter().copied();
        // Nothing else has a meaning before.
        let mut operations = alloc::vec![Self::Connect];
        while let Some(kind) = bytes.next() {
            let mut byte = || bytes.next().unwrap_or(0);
            operations.push(match kind % 20 {
                0 => Self::Connect,
                1 => Self::Accept,
                2..=4 => Self::Write { side: byte(), pair: byte(), len: byte() },
                5..=7 => Self::Read { side: byte(), pair: byte(), len: byte() },
                8 => Self::End { side: byte(), pair: byte() },
                9 => Self::Close { side: byte(), pair: byte() },
                10 => Self::Abort { side: byte(), pair: byte() },
                11 | 12 => Self::Deliver { side: byte(), count: byte() },
                13 => Self::Lose { side: byte(), which: byte() },
                14 => Self::Double { side: byte(), which: byte() },
                15 => Self::Overtake { side: byte(), which: byte() },
                16 => Self::Damage { side: byte(), which: byte(), bit: byte() },
                17 => Self::Stranger { side: byte(), flags: byte(), seed: byte() },
                18 => Self::Device { side: byte(), room: byte() },
                _ if kind == 19 => Self::Unreachable { side: byte(), which: byte() },
                _ => Self::Pass { span: byte() },
            });
        }
        operations
    }

    /// Whether no connection may fail for it: it is none of the application's doing, and repaired in time.
    pub fn is_harmless(&self) -> bool {
        match self {
            Self::Close { .. } | Self::Abort { .. } | Self::Unreachable { .. } => false,
            // Many such spans in a row are as good as a cut cable.
            Self::Pass { span } => *span < 20,
            _ => true,
        }
    }
}
