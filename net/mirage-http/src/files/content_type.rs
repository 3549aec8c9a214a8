//! What kind of file it is, by the end of its name.

use crate::cut;
use crate::joined::joined;

/// The media type of a file of that name: what the files of a web site have. A full list, as of `mime_guess`, is larger
/// than the image it would be part of; whoever needs another type answers that path by itself.
///
/// ```
/// assert_eq!(mirage_http::content_type("docs/index.HTML"), "text/html; charset=utf-8");
/// assert_eq!(mirage_http::content_type("Makefile"), "application/octet-stream");
/// ```
pub fn content_type(name: &str) -> &'static str {
    let name = cut::last(name, b'/').map_or(name, |(_, name)| name);
    let extension = cut::last(name, b'.').map_or("", |(_, extension)| extension);
    let mut texts = joined!(TYPES);
    while let (Some(known), Some(kind)) = (texts.next(), texts.next()) {
        if cut::same(known.as_bytes(), extension.as_bytes()) {
            return kind;
        }
    }
    "application/octet-stream"
}

/// The end of a name and the type that goes with it, the most frequent first.
#[rustfmt::skip]
const TYPES: [&str; 56] = [
    "html", "text/html; charset=utf-8",
    "css", "text/css; charset=utf-8",
    "js", "text/javascript; charset=utf-8",
    "png", "image/png",
    "svg", "image/svg+xml",
    "jpg", "image/jpeg",
    "json", "application/json",
    "txt", "text/plain; charset=utf-8",
    "ico", "image/x-icon",
    "woff2", "font/woff2",
    "webp", "image/webp",
    "htm", "text/html; charset=utf-8",
    "mjs", "text/javascript; charset=utf-8",
    "wasm", "application/wasm",
    "jpeg", "image/jpeg",
    "gif", "image/gif",
    "avif", "image/avif",
    "xml", "text/xml; charset=utf-8",
    "md", "text/markdown; charset=utf-8",
    "pdf", "application/pdf",
    "woff", "font/woff",
    "ttf", "font/ttf",
    "mp3", "audio/mpeg",
    "ogg", "audio/ogg",
    "mp4", "video/mp4",
    "webm", "video/webm",
    "zip", "application/zip",
    "gz", "application/gzip",
];
