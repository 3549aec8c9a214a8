//! TCP options as scripts write them: `<mss 1460, nop, wscale 7, sackOK, TS val 1 ecr 0, sack 1:5 9:12, raw 34 0a0b>`.

use super::number::{Number, Span, parse};

/// What one end's numbers in options count from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// The SYN of whose data is acknowledged selectively.
    pub acknowledged: u32,
    /// Zero of the clock that `val` shows.
    pub clock: u32,
    /// Zero of the clock that `ecr` shows.
    pub echoed: u32,
}

/// The bytes of `text`, unpadded.
pub fn encode(text: &str, origin: Origin) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for option in text.split(',') {
        match option.split_whitespace().collect::<Vec<_>>()[..] {
            ["nop"] => bytes.push(1),
            ["eol"] => bytes.push(0),
            ["mss", mss] => {
                bytes.extend([2, 4]);
                bytes.extend(parse::<u16>(mss)?.to_be_bytes());
            }
            ["wscale", shift] => bytes.extend([3, 3, parse(shift)?]),
            ["sackOK"] => bytes.extend([4, 2]),
            ["sack", ref blocks @ ..] => {
                bytes.extend([5, 2 + 8 * blocks.len() as u8]);
                for block in blocks {
                    let (from, to) = block.split_once(':').ok_or("a block is written 1:5")?;
                    for number in [from, to] {
                        bytes.extend(Number::parse(number)?.on_wire(origin.acknowledged).to_be_bytes());
                    }
                }
            }
            ["TS", "val", value, "ecr", echo] => {
                bytes.extend([8, 10]);
                bytes.extend(parse::<u32>(value)?.wrapping_add(origin.clock).to_be_bytes());
                bytes.extend(parse::<u32>(echo)?.wrapping_add(origin.echoed).to_be_bytes());
            }
            ["raw", kind, ref hex @ ..] => {
                let hex = hex.concat();
                let data: Result<Vec<u8>, _> =
                    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16)).collect();
                let data = data.map_err(|_| "bytes are written in hexadecimal")?;
                bytes.extend([parse(kind)?, 2 + data.len() as u8]);
                bytes.extend(data);
            }
            _ => return Err(format!("no such option: `{}`", option.trim())),
        }
    }
    Ok(bytes)
}

/// The text of `bytes`.
pub fn decode(mut bytes: &[u8], origin: Origin) -> String {
    let long = |bytes: &[u8], at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let mut texts = Vec::new();
    while let [kind, rest @ ..] = bytes {
        if *kind < 2 {
            texts.push(if *kind == 0 { "eol" } else { "nop" }.to_owned());
            bytes = rest;
            continue;
        }
        let Some((data, rest)) = rest.first().and_then(|len| bytes.split_at_checked((*len).into())) else { break };
        let Some(data) = data.get(2..) else { break };
        bytes = rest;
        texts.push(match (kind, data) {
            (2, [high, low]) => format!("mss {}", u16::from_be_bytes([*high, *low])),
            (3, [shift]) => format!("wscale {shift}"),
            (4, []) => "sackOK".to_owned(),
            (5, data) => {
                let number = |at| long(data, at).wrapping_sub(origin.acknowledged);
                let blocks =
                    (0..data.len() / 8).map(|block| format!(" {}:{}", number(8 * block), number(8 * block + 4)));
                format!("sack{}", blocks.collect::<String>())
            }
            (8, data) if data.len() == 8 => {
                let (value, echo) = (long(data, 0), long(data, 4));
                // Nothing was heard yet, so there is nothing to echo.
                let echo = if echo == 0 { 0 } else { echo.wrapping_sub(origin.echoed) };
                format!("TS val {} ecr {echo}", value.wrapping_sub(origin.clock))
            }
            (kind, data) => format!("raw {kind} {}", data.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        });
    }
    texts.join(", ")
}

/// Whether `found` is what `expected` says, where `*` stands for any options, and a number in it may be a span or `*`.
pub fn matches(expected: &str, found: &str) -> Result<bool, String> {
    let words =
        |text: &str| -> Vec<String> { text.replace(',', " , ").split_whitespace().map(str::to_owned).collect() };
    if expected.trim() == "*" {
        return Ok(true);
    }
    let (expected, found) = (words(expected), words(found));
    if expected.len() != found.len() {
        return Ok(false);
    }
    for (expected, found) in expected.iter().zip(&found) {
        let alike = expected == found
            || found.parse().is_ok_and(|found| Span::parse(expected).is_ok_and(|span| span.contains(found)));
        if !alike {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The value and the echo of a timestamps option.
pub fn timestamps(bytes: &[u8]) -> Option<u32> {
    let mut rest = bytes;
    loop {
        match rest {
            [1, next @ ..] => rest = next,
            [8, 10, a, b, c, d, ..] => return Some(u32::from_be_bytes([*a, *b, *c, *d])),
            [kind, len, ..] if *kind != 0 && *len >= 2 => rest = rest.get(usize::from(*len)..)?,
            _ => return None,
        }
    }
}
