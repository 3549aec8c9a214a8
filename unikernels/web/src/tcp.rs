//! How much of TCP the server has.

#[cfg(feature = "unix")]
pub(crate) use mirage_platform::tcp::Standard as Serving;

#[cfg(not(feature = "unix"))]
pub(crate) use image::Serving;

#[cfg(not(feature = "unix"))]
mod image {
    use mirage_platform::tcp::{Cubic, Profile};

    /// TCP for who sends much and receives little: what repairs losses on the way out is all there. A process, where nobody
    /// counts bytes, has everything.
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Serving {}

    impl Profile for Serving {
        type Congestion = Cubic;
        // All connections come from others.
        const OPENS: bool = false;
        // Nobody turns these on here.
        const FAST_OPEN: bool = false;
        const PEERS: bool = false;
        const RECORDS: bool = false;
        // Queues that mark packets instead of dropping them drop ours.
        const MARKS: bool = false;
        // Requests are short: hardly any has a hole.
        const HOLES: bool = false;
        // Short cuts for usual segments are long.
        const STRAIGHT: bool = false;
    }
}
