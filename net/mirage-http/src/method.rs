//! What a request asks for (RFC 9110 §9).

/// A request's method. Methods are case-sensitive: `get` is [`Method::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`: as `GET`, and the answer has no body.
    Head,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `DELETE`.
    Delete,
    /// `OPTIONS`.
    Options,
    /// `PATCH` (RFC 5789).
    Patch,
    /// `CONNECT`.
    Connect,
    /// `TRACE`.
    Trace,
    /// Any other; its name is in `Request::method_name`.
    Other,
}

impl Method {
    /// Every method with a name of its own.
    pub const ALL: [Self; 9] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Delete,
        Self::Options,
        Self::Patch,
        Self::Connect,
        Self::Trace,
    ];

    /// The method of that name.
    pub fn new(name: &[u8]) -> Self {
        Self::ALL.into_iter().find(|method| method.as_str().as_bytes() == name).unwrap_or(Self::Other)
    }

    /// Its name; `?` for [`Method::Other`].
    pub const fn as_str(self) -> &'static str {
        NAMES[self as usize]
    }
}

/// By number.
const NAMES: [&str; 10] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "?"];
