//! From bytes to a response's head (RFC 9112 §4, §6.3).

use core::mem::MaybeUninit;

use httparse::{Error, ParserConfig, Status as Parsed};

use crate::field::members;
use crate::writer::parse_decimal;
use crate::{Field, Method, Refusal, Status};

/// Most fields a head may have, whatever room is lent.
const MOST_FIELDS: usize = 100;

/// A head.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) status: Status,
    pub(super) fields: usize,
    pub(super) minor: u8,
    pub(super) body: Body,
    pub(super) keep_alive: bool,
}

/// How the body comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Length(u64),
    Chunked,
    UntilClose,
}

/// The head at the start of `bytes` that answers a request of that method; `None` when it is not complete.
pub(super) fn parse(bytes: &[u8], places: &mut [Field], method: Method) -> Result<Option<Head>, Refusal> {
    let mut room = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let room = room.get_mut(..places.len().min(MOST_FIELDS)).unwrap_or_default();
    let mut response = httparse::Response::new(&mut []);
    let length = match ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, room) {
        Ok(Parsed::Complete(length)) => length,
        Ok(Parsed::Partial) => return Ok(None),
        Err(Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(Error::Version) if bytes.starts_with(b"HTTP/") => return Err(Refusal::Version),
        Err(_) => return Err(Refusal::Malformed),
    };
    let (Some(code), Some(minor)) = (response.code, response.version) else { return Err(Refusal::Malformed) };
    let status = Status::new(code).ok_or(Refusal::Malformed)?;
    let (mut declared, mut chunked, mut coded, mut close, mut keep_alive) = (None, false, false, false, false);
    for (place, header) in places.iter_mut().zip(response.headers.iter()) {
        *place = Field::new(bytes, header.name.as_bytes(), header.value);
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let length = parse_decimal(header.value).ok_or(Refusal::Malformed)?;
            if declared.replace(length).is_some_and(|other| other != length) {
                return Err(Refusal::Malformed);
            }
        } else if is("transfer-encoding") {
            for coding in members(header.value) {
                if chunked || !coding.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::UnknownCoding);
                }
                chunked = true;
            }
            coded = true;
        } else if is("connection") {
            for option in members(header.value) {
                close |= option.eq_ignore_ascii_case(b"close");
                keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        }
    }
    let body = match declared {
        _ if method == Method::Head || status.has_no_body() => Body::Length(0),
        // RFC 9112 §6.3: this "might indicate an attempt to perform … response splitting".
        Some(_) if coded => return Err(Refusal::Malformed),
        _ if coded && (!chunked || minor == 0) => return Err(Refusal::Malformed),
        _ if chunked => Body::Chunked,
        Some(length) => Body::Length(length),
        None => Body::UntilClose,
    };
    let keep_alive = !close && (minor > 0 || keep_alive) && body != Body::UntilClose;
    Ok(Some(Head { length, status, fields: response.headers.len(), minor, body, keep_alive }))
}
