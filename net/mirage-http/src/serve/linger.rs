//! Reading what nobody wants, so that the peer reads what we said.

use crate::BodyStep;
use crate::server::Connection;

use super::exchange::more;
use super::{Error, Io};

/// Reads away the rest of a request's body, at most `most` bytes of it. Returns whether it came to the end.
pub(super) async fn drain(line: &mut impl Io, connection: &mut Connection<'_>, mut most: u64) -> Result<bool, Error> {
    let Some(mut body) = connection.body() else { return Ok(false) };
    while !body.is_complete() {
        match body.next(usize::MAX) {
            BodyStep::Data(data) => match most.checked_sub(data.len() as u64) {
                Some(left) => most = left,
                None => return Ok(false),
            },
            BodyStep::End => break,
            BodyStep::Refused(_) | BodyStep::Cut => return Ok(false),
            BodyStep::NeedInput => {
                line.put(b"", true).await?;
                more(line, &mut body, &mut []).await?;
            }
        }
    }
    Ok(true)
}
