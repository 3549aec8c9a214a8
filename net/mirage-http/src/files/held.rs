//! A web site whose files are in memory.

use mirage_kv::{Digest, Key, Kind, Modified};

use crate::Reply;
use crate::server::Request;

use super::answer::{About, Answer, INDEX, Tell, ask, key, look, refuse};

/// What there is under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held<'h> {
    /// Nothing.
    Nothing,
    /// Names that begin with it.
    Dictionary,
    /// A file.
    File {
        /// What it holds.
        bytes: &'h [u8],
        /// A digest of that.
        digest: Digest,
        /// When it was last changed, where that is known.
        modified: Option<Modified>,
    },
}

/// Answers a request for `path` with what is held under its name, as [`Site`](crate::Site) does out of a store, and says what
/// the answer's body is. All files come with these `fields`, at most 4.
///
/// `buffer` holds names for as long as this takes. It must be twice as long as the path and by at least 512 bytes longer, or the
/// answer is 414.
#[inline(never)]
pub fn hold<'h>(
    held: &dyn Fn(Key<'_>) -> Held<'h>,
    fields: &[(&str, &[u8])],
    request: &Request<'_>,
    path: &str,
    buffer: &mut [u8],
    reply: &mut Reply<'_>,
) -> &'h [u8] {
    let tell: Tell<'_> = &mut |status, fields, length| reply.start(status, fields, length);
    let (names, bytes) = buffer.split_at_mut_checked(path.len() + INDEX.len()).unwrap_or_default();
    let mut answer = ask(request.method(), path, names, bytes.len());
    while let Answer::Ask(asked, end) = answer {
        let Some(key) = key(names, end) else {
            answer = look(asked, end, None, names);
            continue;
        };
        let there = match held(key) {
            Held::Nothing => None,
            Held::Dictionary => Some(Kind::Dictionary),
            Held::File { .. } => Some(Kind::Value),
        };
        answer = look(asked, end, there, names);
    }
    if let Answer::File(end) = answer
        && let Some(key) = key(names, end)
        && let Held::File { bytes, digest, modified } = held(key)
    {
        let about = About { size: bytes.len() as u64, digest, modified };
        let part = about.tell(request, key, fields.get(..4).unwrap_or(fields), tell);
        // Where the length is that of the file, so are the places.
        let of_file = || bytes.get(part.at as usize..part.end as usize).unwrap_or_default();
        return part.reason.map_or_else(of_file, str::as_bytes);
    }
    refuse(&answer, path, bytes, tell).as_bytes()
}
