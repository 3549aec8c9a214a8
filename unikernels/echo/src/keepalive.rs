//! `--keepalive=AFTER,INTERVAL,PROBES`: when to ask an idle peer whether it is still there.

use mirage_platform::clock::Duration;
use mirage_platform::stack::Keepalive;

/// What [`parse`] reads.
pub(crate) const EXPECTED: &str = "expected AFTER,INTERVAL,PROBES in seconds and a count, like 7200,75,9";

/// The option as it is typed: seconds, seconds, a count.
pub(crate) fn parse(text: &str) -> Option<Keepalive> {
    let [after, interval, probes] = numbers(text)?;
    let (after, interval) = (Duration::from_secs(after.into()), Duration::from_secs(interval.into()));
    Some(Keepalive { after, interval, probes: u8::try_from(probes).ok()? })
}

/// Three numbers with commas between.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let (mut numbers, mut place, mut begun) = ([0_u32; 3], 0, false);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                let number = numbers.get_mut(place)?;
                *number = number.checked_mul(10)?.checked_add((byte - b'0').into())?;
                begun = true;
            }
            b',' if begun => (place, begun) = (place + 1, false),
            _ => return None,
        }
    }
    (begun && place == 2).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_numbers_are_a_keepalive() {
        let keepalive = parse("7200,75,9").expect("it is one");
        assert_eq!(keepalive.after, Duration::from_secs(7200));
        assert_eq!((keepalive.interval, keepalive.probes), (Duration::from_secs(75), 9));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "1", "1,1", "1,1,256", "1,1,1,1", "a,b,c", "-1,1,1", "1,,1", "1,1,", ",1,1,1", "4294967296,1,1"]
        {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
