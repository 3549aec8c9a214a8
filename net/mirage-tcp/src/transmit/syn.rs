//! Our SYN in one straight line, when nothing goes with it but what it says itself.

use mirage_clock::Instant;
use mirage_protocols::{Ip, Packet, Protocol, SendError};

use crate::connection::Slot;
use crate::resources::Resources;
use crate::wire::{Checksum, Flags, HEADER_LEN, Header, PARTIAL_CHECKSUM, SYN_LEN, write_bare};
use crate::{Error, Profile};

impl<P: Profile> Slot<P> {
    /// Sends the SYN of a connection that we open, if it is to be sent; `None` when anything is unusual, and then nothing was
    /// done. What it does is what a plan, and its segment, would do.
    #[inline(never)]
    pub(super) fn send_syn(
        &mut self,
        now: Instant,
        resources: &mut Resources<'_>,
        ip: &mut impl Ip,
    ) -> Option<Result<(), SendError>> {
        let with_more = P::FAST_OPEN && (self.syn_len > 0 || self.asks_cookie());
        if self.nxt != self.una || with_more || resources.config.asks_for_marks::<P>() {
            return None;
        }
        let options = self.syn_options(now, Flags::SYN, resources);
        if options.as_slice().len() != SYN_LEN - HEADER_LEN {
            return None;
        }
        self.offer_window(resources);
        let header = Header {
            source_port: self.tuple.local_port,
            destination_port: self.tuple.remote_port,
            seq: self.una,
            flags: Flags::SYN,
            window: self.receive_window().min(0xffff) as u16,
            ..Header::default()
        };
        let checksum = if self.partial_checksum() { Checksum::Partial } else { Checksum::Complete };
        let pseudo = self.tuple.pseudo_header();
        let mut packet = Packet::new(self.tuple.local, self.tuple.remote, Protocol::TCP, SYN_LEN);
        packet.dont_fragment = true;
        if self.partial_checksum() {
            packet.checksum = Some(PARTIAL_CHECKSUM);
        }
        let sent = ip.send_straight(packet, |writer| {
            let _fits = write_bare::<SYN_LEN>(writer, pseudo, &header, options.as_slice(), checksum);
        });
        match sent {
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
        Some(Ok(()))
    }
}
