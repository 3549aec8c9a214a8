//! A request's head, read and found good.

use crate::{Fields, Method, Target};

use super::Terms;

/// A request: it borrows the buffer in which it came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'c> {
    pub(super) method: Method,
    pub(super) method_name: &'c str,
    pub(super) target: Target<'c>,
    pub(super) target_text: &'c str,
    pub(super) host: &'c str,
    pub(super) fields: Fields<'c>,
    pub(super) minor: u8,
    pub(super) terms: Terms,
}

impl<'c> Request<'c> {
    /// What it asks for.
    #[inline]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The method as it was sent.
    pub fn method_name(&self) -> &'c str {
        self.method_name
    }

    /// What it is for.
    pub fn target(&self) -> Target<'c> {
        self.target
    }

    /// The target as it was sent.
    pub fn target_text(&self) -> &'c str {
        self.target_text
    }

    /// The path as it was sent: begins with a slash, and is coded. [`decode_path`](crate::decode_path) takes the
    /// coding off. Empty for `OPTIONS *` and `CONNECT`.
    #[inline]
    pub fn path(&self) -> &'c str {
        self.target.path()
    }

    /// What follows the question mark.
    pub fn query(&self) -> Option<&'c str> {
        self.target.query()
    }

    /// Whom it was sent to: the authority of an absolute target, or else the field `Host`. Empty when an HTTP/1.0 peer
    /// did not say.
    pub fn host(&self) -> &'c str {
        self.host
    }

    /// The header fields.
    #[inline]
    pub fn fields(&self) -> Fields<'c> {
        self.fields
    }

    /// The value of the first field of this name, in any case.
    #[inline]
    pub fn field(&self, name: &str) -> Option<&'c [u8]> {
        self.fields.get(name)
    }

    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    pub fn minor_version(&self) -> u8 {
        self.minor
    }

    /// How the response has to be framed.
    #[inline]
    pub fn terms(&self) -> Terms {
        self.terms
    }
}
