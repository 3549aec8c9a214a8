//! From bytes to a request's head (RFC 9112 §2 to §6, RFC 9110 §7.2). Whatever could be read in two ways is refused.

use crate::cut::same;
use crate::field::{Span, members};
use crate::target::{Target, is_authority};
use crate::writer::parse_decimal;
use crate::{Field, Limits, Method, Refusal};

use super::line::{FieldLine, field_line, request_line};

/// Most fields a head may have, whatever room is lent.
pub(crate) const MOST_FIELDS: usize = 100;

/// A head, as places in the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Its length with the empty line.
    pub(super) length: usize,
    pub(super) method: Method,
    pub(super) method_name: Span,
    pub(super) target: Span,
    pub(super) host: Span,
    pub(super) fields: usize,
    pub(super) minor: u8,
    /// The length of the body; `None` when it comes in chunks.
    pub(super) body: Option<u64>,
    pub(super) keep_alive: bool,
    pub(super) expects: bool,
}

/// The head at the start of `bytes`; `None` when it is not complete. Places of fields go to `places`.
pub(super) fn parse(bytes: &[u8], places: &mut [Field], limits: &Limits) -> Result<Option<Head>, Refusal> {
    let Some(line) = request_line(bytes)? else { return Ok(None) };
    let (method_name, target) = (Span::new(0, line.method_end), Span::new(line.method_end + 1, line.target_end));
    let (method_text, target_text) = (method_name.of(bytes), target.of(bytes));
    if target_text.len() > limits.target {
        return Err(Refusal::TargetTooLong);
    }
    let (mut known, mut end, mut fields) = (Known::default(), line.end, 0);
    let mut room = places.iter_mut().take(MOST_FIELDS);
    let length = loop {
        match field_line(bytes, end)? {
            None => return Ok(None),
            Some(FieldLine::Empty(end)) => break end,
            Some(FieldLine::Field(field, next)) => {
                *room.next().ok_or(Refusal::HeadTooLarge)? = field;
                known.learn(field.name.of(bytes), field.value, bytes)?;
                (end, fields) = (next, fields + 1);
            }
        }
    };
    let minor = line.minor;
    let method = Method::new(method_text);
    let target_text = core::str::from_utf8(target_text).map_err(|_| Refusal::Malformed)?;
    let parsed_target = Target::new(method, target_text).ok_or(Refusal::Malformed)?;
    // RFC 9112 §3.2: exactly one `Host`, in HTTP/1.1; and an absolute target's authority takes its place.
    let host = match (parsed_target, known.host) {
        (_, None) if minor > 0 => return Err(Refusal::Malformed),
        (Target::Absolute { authority, .. } | Target::Authority(authority), _) => {
            Span::within(bytes, authority.as_bytes())
        }
        (_, host) => host.unwrap_or_default(),
    };
    // RFC 9112 §6.1 and §6.3: a request with both lengths is how requests are smuggled, and HTTP/1.0 has no codings.
    let body = match (known.chunked, known.length) {
        (true, Some(_)) => return Err(Refusal::Malformed),
        (true, None) if minor == 0 => return Err(Refusal::Malformed),
        (true, None) => None,
        (false, length) => Some(length.unwrap_or(0)),
    };
    if body.is_some_and(|length| length > limits.body) {
        return Err(Refusal::BodyTooLarge);
    }
    Ok(Some(Head {
        length,
        method,
        method_name,
        target,
        host,
        fields,
        minor,
        body,
        keep_alive: !known.close && (minor > 0 || known.keep_alive),
        expects: known.expects && minor > 0 && body != Some(0),
    }))
}

/// What the fields say that decide how the message is read.
#[derive(Default)]
struct Known {
    host: Option<Span>,
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    expects: bool,
}

impl Known {
    #[inline(never)]
    fn learn(&mut self, name: &[u8], span: Span, bytes: &[u8]) -> Result<(), Refusal> {
        let value = span.of(bytes);
        // By length first: most fields are none of these.
        match name.len() {
            4 if same(name, b"host") => {
                let text = core::str::from_utf8(value).map_err(|_| Refusal::Malformed)?;
                if self.host.is_some() || !is_authority(text) {
                    return Err(Refusal::Malformed);
                }
                self.host = Some(span);
            }
            6 if same(name, b"expect") => {
                if !same(value, b"100-continue") {
                    return Err(Refusal::Expectation);
                }
                self.expects = true;
            }
            10 if same(name, b"connection") => {
                for option in members(value) {
                    self.close |= same(option, b"close");
                    self.keep_alive |= same(option, b"keep-alive");
                }
            }
            14 if same(name, b"content-length") => {
                // Digits and nothing else: no sign, no list.
                let length = parse_decimal(value).ok_or(Refusal::Malformed)?;
                if self.length.is_some_and(|other| other != length) {
                    return Err(Refusal::Malformed);
                }
                self.length = Some(length);
            }
            17 if same(name, b"transfer-encoding") => {
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
