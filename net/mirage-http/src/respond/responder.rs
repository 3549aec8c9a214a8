//! What answers requests without waiting.

use crate::server::Request;

use super::Reply;

/// What answers requests out of what it has in memory, or out of the request's body, and never waits.
///
/// ```
/// use mirage_http::{Reply, Responder, Status, server::Request};
///
/// struct Hello;
///
/// impl Responder for Hello {
///     type Work = ();
///
///     fn begin(&self, _: &Request<'_>, reply: &mut Reply<'_>) {
///         reply.start(Status::OK, &[("Content-Type", b"text/plain")], 5);
///     }
///
///     fn piece<'w>(&'w self, _: &'w mut (), _left: u64) -> &'w [u8] {
///         b"hello"
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(message = "`{Self}` does not respond to HTTP requests")]
pub trait Responder {
    /// What is kept of a request until it is answered; nothing, by default.
    type Work: Default;

    /// Looks at a request. Who does not start the reply here gets the request's body, and starts it in [`end`](Self::end).
    fn begin(&self, request: &Request<'_>, reply: &mut Reply<'_>) -> Self::Work;

    /// The next bytes of the request's body; never none.
    fn take(&self, _work: &mut Self::Work, _bytes: &[u8]) {}

    /// The request's body has been taken: starts the reply. Who does not has failed, and the peer is told so by 500.
    fn end(&self, _work: &mut Self::Work, _reply: &mut Reply<'_>) {}

    /// The next bytes of the answer's body, of which `left` are still to come: some, and not more than that. Otherwise the
    /// connection ends with [`Error::Length`](crate::Error::Length).
    fn piece<'w>(&'w self, work: &'w mut Self::Work, left: u64) -> &'w [u8];
}
