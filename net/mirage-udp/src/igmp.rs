//! IGMP: telling routers which multicast groups we are in (RFC 3376, and RFC 2236 where a router speaks no better).
//!
//! [`Igmp`] is a machine of its own, with the four verbs of every machine here. Which groups packets are accepted for is
//! [`Igmp::is_member`].
//!
//! ```
//! use mirage_clock::Instant;
//! use mirage_protocols::testing::FakeIp;
//! use mirage_udp::igmp::{GroupSlot, Igmp};
//!
//! let mut groups = [GroupSlot::EMPTY; 4];
//! let mut igmp = Igmp::new(&mut groups[..], [0x5e; 16]); // the secret comes from your random source
//! let mut ip = FakeIp::new([10, 0, 0, 1]);
//!
//! igmp.join([239, 1, 2, 3].into()).unwrap();
//! igmp.poll_transmit(Instant::ZERO, &mut ip).unwrap();
//! assert_eq!(ip.sent[0].bytes[8..], [4, 0, 0, 0, 239, 1, 2, 3]); // "changes to exclude nobody": joins
//! ```

mod group;
mod wire;

mod machine;

pub use group::GroupSlot;
pub use machine::{Discard, Igmp, JoinError};
