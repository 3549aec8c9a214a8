//! How much and how long.

use mirage_clock::Duration;

/// What one peer may cost. Every one of these has been the way to bring a server down somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest head in bytes, first line and all; the lent buffer less 64 bytes, and 65 535, are limits too. Beyond: 431.
    pub head: usize,
    /// Longest target in bytes. Beyond: 414.
    pub target: usize,
    /// Longest body in bytes, after decoding. Beyond: 413.
    pub body: u64,
    /// Most bytes of chunk extensions in one body. Beyond: 400.
    pub extensions: u32,
    /// Most bytes of trailer fields after one chunked body. Beyond: 400.
    pub trailers: u32,
    /// How much of a body that nobody read is read away so that the connection can be used again, and how much of a
    /// refused message so that the peer gets to see the answer. Beyond: the connection closes.
    pub drain: u64,
    /// A head is complete so long after its first byte. Beyond: 408.
    pub head_time: Duration,
    /// The next request begins so long after the last one. Beyond: the connection closes without a word.
    pub idle_time: Duration,
    /// How long a body, or the reading of our answer, may fall behind `rate`. Beyond: 408, or the connection closes.
    pub stall_time: Duration,
    /// Bytes per second a body must bring, and a reader of our answers take, on the average. Zero: any byte will do.
    pub rate: u32,
    /// How long a refused peer may take to close.
    pub linger_time: Duration,
}

impl Limits {
    /// Heads of 8 KiB, targets of 4 KiB, bodies of 1 MiB; 15 seconds for a head, a minute between requests, half a
    /// minute of stalling below 512 bytes a second.
    pub const DEFAULT: Self = Self {
        head: 8 * 1024,
        target: 4 * 1024,
        body: 1024 * 1024,
        extensions: 1024,
        trailers: 4 * 1024,
        drain: 64 * 1024,
        head_time: Duration::from_secs(15),
        idle_time: Duration::from_secs(60),
        stall_time: Duration::from_secs(30),
        rate: 512,
        linger_time: Duration::from_secs(5),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
