//! How an image is reached: its services, and where a host beside it offers them.

mod forward;
mod mapped;
#[cfg(feature = "network")]
pub(crate) mod own;
mod reach;
pub mod tcpip;

pub use forward::{Forward, ForwardError, Forwards, Protocol, Service};
pub use mapped::Mapped;
pub use reach::Reach;
