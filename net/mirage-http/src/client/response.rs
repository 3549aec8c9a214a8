//! A response's head, read and found good.

use crate::{Fields, Status};

/// A response: it borrows the buffer in which it came.
#[derive(Clone, Copy, Debug)]
pub struct Response<'c> {
    pub(super) status: Status,
    pub(super) fields: Fields<'c>,
    pub(super) minor: u8,
}

impl<'c> Response<'c> {
    /// How the request went.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The header fields.
    pub fn fields(&self) -> Fields<'c> {
        self.fields
    }

    /// The value of the first field of this name, in any case.
    pub fn field(&self, name: &str) -> Option<&'c [u8]> {
        self.fields.get(name)
    }

    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    pub fn minor_version(&self) -> u8 {
        self.minor
    }
}
