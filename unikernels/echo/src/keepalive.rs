//! `--keepalive=AFTER,INTERVAL,PROBES`: when to ask an idle peer whether it is still there.

use core::fmt;
use core::str::FromStr;

use mirage_platform::clock::Duration;
use mirage_platform::stack::Keepalive;

/// The option as it is typed: seconds, seconds, a count.
pub(crate) struct Typed(pub(crate) Keepalive);

/// The text is not three numbers.
pub(crate) struct TypedError;

impl fmt::Display for TypedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected AFTER,INTERVAL,PROBES in seconds and a count, like 7200,75,9")
    }
}

impl FromStr for Typed {
    type Err = TypedError;

    fn from_str(text: &str) -> Result<Self, TypedError> {
        let mut parts = text.split(',');
        let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok()).ok_or(TypedError);
        let (after, interval) = (Duration::from_secs(next()?.into()), Duration::from_secs(next()?.into()));
        let probes = u8::try_from(next()?).map_err(|_| TypedError)?;
        if parts.next().is_some() { Err(TypedError) } else { Ok(Self(Keepalive { after, interval, probes })) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_numbers_are_a_keepalive() {
        let Ok(Typed(keepalive)) = "7200,75,9".parse() else { panic!("it is one") };
        assert_eq!(keepalive.after, Duration::from_secs(7200));
        assert_eq!((keepalive.interval, keepalive.probes), (Duration::from_secs(75), 9));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "1", "1,1", "1,1,256", "1,1,1,1", "a,b,c", "-1,1,1"] {
            assert!(text.parse::<Typed>().is_err(), "{text}");
        }
    }
}
