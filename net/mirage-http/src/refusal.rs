//! Why a message is not read on.

use core::fmt;

use crate::Status;

/// What is wrong with a message from the peer. After it nothing that the peer sends can be trusted to begin where a
/// message begins, so the connection closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no HTTP/1.1, or could be read in two ways (RFC 9112 §11.2: request smuggling).
    Malformed,
    /// It took longer than the limits allow.
    Timeout,
    /// Its body is longer than the limits allow.
    BodyTooLarge,
    /// Its target is longer than the limits allow.
    TargetTooLong,
    /// It expects something other than `100-continue`.
    Expectation,
    /// Its head is longer or has more fields than the limits allow.
    HeadTooLarge,
    /// Its body is in a transfer-coding other than `chunked`.
    UnknownCoding,
    /// It is in another version of HTTP than 1.0 and 1.1.
    Version,
}

impl Refusal {
    /// The status that tells the peer.
    pub const fn status(self) -> Status {
        match self {
            Self::Malformed => Status::BAD_REQUEST,
            Self::Timeout => Status::REQUEST_TIMEOUT,
            Self::BodyTooLarge => Status::CONTENT_TOO_LARGE,
            Self::TargetTooLong => Status::URI_TOO_LONG,
            Self::Expectation => Status::EXPECTATION_FAILED,
            Self::HeadTooLarge => Status::HEADER_FIELDS_TOO_LARGE,
            Self::UnknownCoding => Status::NOT_IMPLEMENTED,
            Self::Version => Status::VERSION_NOT_SUPPORTED,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the message is malformed",
            Self::Timeout => "the message did not come in time",
            Self::BodyTooLarge => "the body is too large",
            Self::TargetTooLong => "the target is too long",
            Self::Expectation => "the expectation is not known",
            Self::HeadTooLarge => "the head is too large",
            Self::UnknownCoding => "the transfer-coding is not known",
            Self::Version => "the version of HTTP is not 1.0 or 1.1",
        })
    }
}

impl core::error::Error for Refusal {}
