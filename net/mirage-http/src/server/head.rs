//! From bytes to a request's head (RFC 9112 §2 to §6, RFC 9110 §7.2). Whatever could be read in two ways is refused.

use core::mem::MaybeUninit;
use core::ops::Range;

use httparse::{Error, ParserConfig, Status};

use crate::cut::same;
use crate::field::members;
use crate::target::{Target, is_authority};
use crate::writer::parse_decimal;
use crate::{Field, Limits, Method, Refusal};

/// Most fields a head may have, whatever room is lent.
pub(crate) const MOST_FIELDS: usize = 100;

/// A head, as places in the bytes.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// Its length with the empty line.
    pub(super) length: usize,
    pub(super) method: Method,
    pub(super) target: Range<usize>,
    pub(super) host: Range<usize>,
    pub(super) fields: usize,
    pub(super) minor: u8,
    pub(super) body: Body,
    pub(super) keep_alive: bool,
    pub(super) expects: bool,
}

/// How the body comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Length(u64),
    Chunked,
}

/// The head at the start of `bytes`; `None` when it is not complete. Places of fields go to `places`.
pub(super) fn parse(bytes: &[u8], places: &mut [Field], limits: &Limits) -> Result<Option<Head>, Refusal> {
    let mut room = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let room = room.get_mut(..places.len().min(MOST_FIELDS)).unwrap_or_default();
    let mut request = httparse::Request::new(&mut []);
    let parsed = ParserConfig::default().parse_request_with_uninit_headers(&mut request, bytes, room);
    let length = match parsed {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Ok(None),
        Err(Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(Error::Version) => return Err(version(bytes)),
        Err(_) => return Err(Refusal::Malformed),
    };
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Refusal::Malformed);
    };
    if target.len() > limits.target {
        return Err(Refusal::TargetTooLong);
    }
    let target_at = method.len() + 1;
    let mut known = Known::default();
    for (place, header) in places.iter_mut().zip(request.headers.iter()) {
        *place = Field::new(bytes, header.name.as_bytes(), header.value);
        // The parser lets a lone LF end a line; a proxy before us might not.
        if !ends_with_crlf(bytes, place.name_at()) {
            return Err(Refusal::Malformed);
        }
        known.learn(bytes, header.name, header.value)?;
    }
    if !ends_with_crlf(bytes, length) || !ends_with_crlf(bytes, length - 2) {
        return Err(Refusal::Malformed);
    }
    let method = Method::new(method.as_bytes());
    let parsed_target = Target::new(method, target).ok_or(Refusal::Malformed)?;
    // RFC 9112 §3.2: exactly one `Host`, in HTTP/1.1; and an absolute target's authority takes its place.
    let host = match (parsed_target, known.host) {
        (_, None) if minor > 0 => return Err(Refusal::Malformed),
        (Target::Absolute { authority, .. } | Target::Authority(authority), _) => within(bytes, authority.as_bytes()),
        (_, host) => host.unwrap_or(0..0),
    };
    // RFC 9112 §6.1 and §6.3: a request with both lengths is how requests are smuggled, and HTTP/1.0 has no codings.
    let body = match (known.chunked, known.length) {
        (true, Some(_)) => return Err(Refusal::Malformed),
        (true, None) if minor == 0 => return Err(Refusal::Malformed),
        (true, None) => Body::Chunked,
        (false, length) => Body::Length(length.unwrap_or(0)),
    };
    if matches!(body, Body::Length(length) if length > limits.body) {
        return Err(Refusal::BodyTooLarge);
    }
    Ok(Some(Head {
        length,
        method,
        target: target_at..target_at + target.len(),
        host,
        fields: request.headers.len(),
        minor,
        body,
        keep_alive: !known.close && (minor > 0 || known.keep_alive),
        expects: known.expects && minor > 0 && body != Body::Length(0),
    }))
}

/// What the fields say that decide how the message is read.
#[derive(Default)]
struct Known {
    host: Option<Range<usize>>,
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    expects: bool,
}

impl Known {
    #[inline]
    fn learn(&mut self, bytes: &[u8], name: &str, value: &[u8]) -> Result<(), Refusal> {
        // By length first: most fields are none of these.
        match name.len() {
            4 if same(name.as_bytes(), b"host") => {
                let text = core::str::from_utf8(value).map_err(|_| Refusal::Malformed)?;
                if self.host.is_some() || !is_authority(text) {
                    return Err(Refusal::Malformed);
                }
                self.host = Some(within(bytes, value));
            }
            6 if same(name.as_bytes(), b"expect") => {
                if !same(value, b"100-continue") {
                    return Err(Refusal::Expectation);
                }
                self.expects = true;
            }
            10 if same(name.as_bytes(), b"connection") => {
                for option in members(value) {
                    self.close |= same(option, b"close");
                    self.keep_alive |= same(option, b"keep-alive");
                }
            }
            14 if same(name.as_bytes(), b"content-length") => {
                // Digits and nothing else: no sign, no list.
                let length = parse_decimal(value).ok_or(Refusal::Malformed)?;
                if self.length.is_some_and(|other| other != length) {
                    return Err(Refusal::Malformed);
                }
                self.length = Some(length);
            }
            17 if same(name.as_bytes(), b"transfer-encoding") => {
                for coding in members(value) {
                    match coding {
                        _ if same(coding, b"chunked") && !self.chunked => self.chunked = true,
                        // `identity` was taken out of the standard, and nothing comes after `chunked`.
                        _ if self.chunked || same(coding, b"identity") => {
                            return Err(Refusal::Malformed);
                        }
                        _ => return Err(Refusal::UnknownCoding),
                    }
                }
                if !self.chunked {
                    return Err(Refusal::Malformed);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// What to say about a version that the parser does not know: 505 only if it is one.
fn version(bytes: &[u8]) -> Refusal {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
    let line = bytes.get(start..).unwrap_or_default().split(|byte| matches!(byte, b'\r' | b'\n')).next();
    match line.and_then(|line| line.rsplit(|byte| *byte == b' ').next()) {
        Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor])
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Refusal::Version
        }
        _ => Refusal::Malformed,
    }
}

#[inline]
fn ends_with_crlf(bytes: &[u8], end: usize) -> bool {
    bytes.get(..end).is_some_and(|line| line.ends_with(b"\r\n"))
}

/// Where `part` is in `bytes`, of which it was cut.
fn within(bytes: &[u8], part: &[u8]) -> Range<usize> {
    let at = part.as_ptr().addr().wrapping_sub(bytes.as_ptr().addr());
    at..at.wrapping_add(part.len())
}
