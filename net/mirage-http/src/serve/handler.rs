//! What answers requests.

use core::future::Future;

use crate::server::Request;

use super::{Error, Exchange, Io, Sent};

/// What answers requests.
///
/// ```
/// use mirage_http::{Error, Exchange, Handler, Io, Sent, Status, server::Request};
///
/// struct Hello;
///
/// impl Handler for Hello {
///     async fn handle<I: Io>(&self, _: &Request<'_>, exchange: Exchange<'_, I>) -> Result<Sent, Error> {
///         exchange.send(Status::OK, &[("Content-Type", b"text/plain")], b"hello").await
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(message = "`{Self}` does not handle HTTP requests")]
pub trait Handler {
    /// Answers one request. [`Sent`] is what [`Exchange::send`] and [`Streaming::finish`](super::Streaming::finish)
    /// return: a handler cannot forget to answer.
    ///
    /// # Errors
    /// Whatever the exchange failed with, or [`Error::Failed`]. The connection closes; where no response has begun the
    /// peer gets [`Error::status`].
    fn handle<I: Io>(
        &self,
        request: &Request<'_>,
        exchange: Exchange<'_, I>,
    ) -> impl Future<Output = Result<Sent, Error>>;
}

impl<H: Handler + ?Sized> Handler for &H {
    fn handle<I: Io>(
        &self,
        request: &Request<'_>,
        exchange: Exchange<'_, I>,
    ) -> impl Future<Output = Result<Sent, Error>> {
        H::handle(self, request, exchange)
    }
}
