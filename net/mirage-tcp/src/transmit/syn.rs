//! Our SYN in one straight line, when nothing goes with it but what it says itself.

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use mirage_protocols::{Ip, SendError};

use crate::connection::Slot;
use crate::resources::Resources;
use crate::transmit::reply::send_header;
use crate::usual_syn::UsualSyn;
use crate::wire::{Checksum, Flags};
use crate::{Error, Profile};

impl<P: Profile> Slot<P> {
    /// Sends the SYN of a connection that we open, if it is to be sent; `None` when anything is unusual, and then nothing was
    /// done. What it does is what a plan, and its segment, would do.
    #[inline]
    pub(super) fn send_syn(
        &mut self,
        now: Instant,
        resources: &mut Resources<'_>,
        ip: &mut impl Ip,
    ) -> Option<Result<(), SendError>> {
        let with_more = P::FAST_OPEN && (self.syn_len > 0 || self.asks_cookie());
        let config = &resources.config;
        let says_all = P::SELECTIVE && P::TIMESTAMPS && config.selective && config.timestamps && self.scaling();
        if with_more || !says_all || config.asks_for_marks::<P>() {
            return None;
        }
        self.grow_window(resources);
        let window = self.receive_window().min(0xffff) as u16;
        let tuple = &self.tuple;
        let syn = UsualSyn {
            ports: u32::from(tuple.local_port) << 16 | u32::from(tuple.remote_port),
            seq: self.una,
            ack: SequenceNumber(0),
            flags: Flags::SYN,
            window,
            mss: self.path.advmss,
            stamps: (self.stamps.value(now), self.stamps.recent),
            shift: resources.window_scale,
        };
        let (pseudo, checksum) = (tuple.pseudo_header(), Checksum::by(self.partial_checksum()));
        match send_header(ip, tuple, &syn.bytes(pseudo, checksum), checksum) {
            Err(SendError::Full) => return Some(Err(SendError::Full)),
            Err(SendError::WouldFragment { mtu }) if self.shrink_path(mtu, &resources.config) => return None,
            Err(SendError::NoRoute) => {
                self.end(resources, Some(Error::HostUnreachable));
                return Some(Ok(()));
            }
            // Other errors are as good as loss.
            _ => {}
        }
        resources.stats.segments_out += 1;
        self.on_syn_sent(now, resources);
        self.set_paced(false);
        Some(Ok(()))
    }
}
