//! Numbers as scripts write them.

use mirage_clock::Duration;

/// A sequence number: counted from the SYN of whom it belongs to, or (`=7`) as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    Relative(u32),
    Absolute(u32),
}

impl Number {
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix('=') {
            Some(rest) => parse(rest).map(Self::Absolute),
            // A negative one lies before the SYN.
            None => parse::<i64>(text).map(|number| Self::Relative(number as u32)),
        }
    }

    /// The number on the wire of somebody whose SYN had the number `initial`.
    pub fn on_wire(self, initial: u32) -> u32 {
        match self {
            Self::Relative(number) => initial.wrapping_add(number),
            Self::Absolute(number) => number,
        }
    }
}

/// One number, any (`*`), or those from `1` to `9` (`1..9`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub u64, pub u64);

impl Span {
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once("..") {
            Some((from, to)) => Ok(Self(parse(from)?, parse(to)?)),
            None if text == "*" => Ok(Self(0, u64::MAX)),
            None => parse(text).map(|number| Self(number, number)),
        }
    }

    pub fn contains(self, number: u64) -> bool {
        (self.0..=self.1).contains(&number)
    }
}

/// A plain number.
pub fn parse<T: core::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no such number"))
}

/// Seconds (`1.25`, `1.25s`) or milliseconds (`40ms`).
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1e6),
        (None, Some(number)) => (number, 1e9),
        (None, None) => (text, 1e9),
    };
    let number: f64 = parse(number)?;
    if !(0.0..1e9).contains(&number) {
        return Err(format!("`{text}` is no such time"));
    }
    Ok(Duration::from_nanos((number * unit).round() as u64))
}

/// A time as people read it.
pub fn show_time(time: Duration) -> String {
    format!("+{}.{:06}", time.as_secs(), time.as_micros() % 1_000_000)
}
