//! Two devices and the cable between them.

mod buffer;
mod end;
mod ring;

use alloc::rc::Rc;

use mirage_net::{Capabilities, MacAddress};

pub use end::{CableEnd, CableReceive, CableTransmit};
use ring::Ring;

/// What a cable shall be like; [`connect`](Self::connect) makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cable {
    /// Largest payload after the link header in bytes.
    pub mtu: usize,
    /// Frames that may be under way in each direction, rounded up to a power of two. Each takes a buffer of
    /// `mtu + 14` or [`Capabilities::max_large_frame`] bytes, whichever is more, for as long as the cable exists. Frames that
    /// a receiver [keeps](mirage_net::Receive::poll_frame_to_keep), at most 64, are exchanged for others of that size.
    pub slots: usize,
    /// What both ends offer to take over. A cable computes and cuts nothing: a frame whose checksum was left out
    /// arrives as [`Partial`](mirage_net::ReceivedChecksum::Partial), a large one in one piece with its segment size.
    pub capabilities: Capabilities,
    /// Whether frames with a complete checksum arrive as [`Verified`](mirage_net::ReceivedChecksum::Verified): a cable
    /// in memory flips no bits.
    pub verified: bool,
    /// The hardware addresses of the two ends.
    pub macs: [MacAddress; 2],
}

impl Cable {
    /// A plain cable: no offloads, checksums unchecked, hardware addresses `02:00:00:00:00:01` and `…:02`.
    pub const fn new(mtu: usize, slots: usize) -> Self {
        Self {
            mtu,
            slots,
            capabilities: Capabilities {
                checksum: mirage_net::ChecksumOffload::empty(),
                segmentation: mirage_net::SegmentationOffload::empty(),
                max_large_frame: 0,
            },
            verified: false,
            macs: [MacAddress([2, 0, 0, 0, 0, 1]), MacAddress([2, 0, 0, 0, 0, 2])],
        }
    }

    /// The same cable whose ends offer `capabilities`.
    #[must_use]
    pub const fn with_capabilities(self, capabilities: Capabilities) -> Self {
        Self { capabilities, ..self }
    }

    /// The same cable that vouches for the checksums of what it carries.
    #[must_use]
    pub const fn with_verified(self) -> Self {
        Self { verified: true, ..self }
    }

    /// The same cable between these two hardware addresses.
    #[must_use]
    pub const fn with_macs(self, macs: [MacAddress; 2]) -> Self {
        Self { macs, ..self }
    }

    /// Makes the cable: the only time it allocates.
    pub fn connect(self) -> (CableEnd, CableEnd) {
        let size = self.capabilities.max_large_frame.max(self.mtu.saturating_add(LINK_HEADER));
        let there = Rc::new(Ring::new(self.slots, size));
        let back = Rc::new(Ring::new(self.slots, size));
        let one = CableEnd::new(&self, self.macs[0], back.clone(), there.clone());
        let other = CableEnd::new(&self, self.macs[1], there, back);
        (one, other)
    }
}

/// Two devices on one virtual cable of the same thread, with room for `slots` frames in each direction.
///
/// ```
/// use mirage_net::{Net, Outgoing, Receive, Transmit};
/// use std::task::{Context, Poll, Waker};
///
/// let (mut here, mut there) = mirage_vnetif::cable(1500, 64);
/// let (_, transmit) = here.split();
/// transmit.send(Outgoing::new(60), |frame| frame.put(b"over the cable")).unwrap();
/// transmit.flush();
///
/// let (receive, _) = there.split();
/// let length = receive.poll_frame(&mut Context::from_waker(Waker::noop()), |frame| frame.bytes.len());
/// assert_eq!(length, Poll::Ready(Ok(14)), "what was written, not what was reserved");
/// ```
pub fn cable(mtu: usize, slots: usize) -> (CableEnd, CableEnd) {
    Cable::new(mtu, slots).connect()
}

/// Two hardware addresses and an EtherType.
pub(crate) const LINK_HEADER: usize = 14;
