//! What routers and hosts say about segments of ours (RFC 9293 §3.9.2.2, RFC 5461), if they can be believed (RFC 5927).

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use mirage_protocols::{IcmpError, IcmpErrorKind};

use crate::demux::{Found, Tuple};
use crate::wire::parse_quoted;
use crate::{Discard, Error, Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// Takes an ICMP error about a segment of ours in. One that quotes nothing that is under way is not believed. An
    /// attempt to connect ends with a hard error; an established connection outlives everything but silence.
    ///
    /// # Errors
    /// Why it was dropped. It is counted; nothing has to be done.
    pub fn on_icmp_error(&mut self, now: Instant, error: &IcmpError<'_>) -> Result<(), Discard> {
        let result = self.take_icmp_error(now, error);
        if let Err(reason) = result {
            self.discards.count(reason);
        }
        result
    }

    fn take_icmp_error(&mut self, now: Instant, error: &IcmpError<'_>) -> Result<(), Discard> {
        let (local_port, remote_port, seq) = parse_quoted(error.quoted).ok_or(Discard::TooShort)?;
        let tuple = Tuple { local: error.source, remote: error.destination, local_port, remote_port };
        let index = match self.find(&tuple) {
            Some(Found::Connection(index)) => index,
            Some(Found::HalfOpen(index)) => return self.take_icmp_of_half_open(index, seq, error.kind),
            _ => return Err(Discard::UnrelatedIcmp),
        };
        let resources = &mut self.resources;
        let Some(slot) = self.connections.get_mut(index as usize) else { return Err(Discard::UnrelatedIcmp) };
        // RFC 5927 §4.1: the quoted number must be of something under way.
        let opening = slot.is_opening();
        let first = slot.first_unsure();
        let flight = match slot.state {
            State::SynSent | State::SynReceived => slot.syns.min(1).into(),
            _ => slot.nxt.since(first),
        };
        if !seq.in_window(first, flight) {
            return Err(Discard::UnrelatedIcmp);
        }
        match error.kind {
            IcmpErrorKind::PortUnreachable | IcmpErrorKind::ProtocolUnreachable if opening => {
                slot.end(resources, Some(Error::ConnectionRefused));
            }
            // We say so ourselves: our own neighbour does not answer, which is no router's passing trouble.
            IcmpErrorKind::HostUnreachable if opening && error.reporter == error.source => {
                slot.end(resources, Some(Error::HostUnreachable));
            }
            IcmpErrorKind::FragmentationNeeded { mtu } if slot.mss != 0 => slot.on_too_big(now, mtu, resources),
            // Soft: it may pass (RFC 5461). Should it not, the application learns of it instead of a mere timeout.
            _ if error.kind == IcmpErrorKind::HostUnreachable && opening => slot.set_unreachable(true),
            _ => {}
        }
        self.settle(index);
        Ok(())
    }

    /// Our SYN-ACK does not get there: the place of who may never have asked is free for others. A peer that is there
    /// after all is reset when it answers.
    fn take_icmp_of_half_open(&mut self, index: u32, seq: SequenceNumber, kind: IcmpErrorKind) -> Result<(), Discard> {
        let ends = matches!(
            kind,
            IcmpErrorKind::PortUnreachable | IcmpErrorKind::ProtocolUnreachable | IcmpErrorKind::HostUnreachable
        );
        match self.half_open.slots.get(index as usize) {
            Some(slot) if slot.iss == seq => {
                if ends {
                    self.end_handshake(index);
                }
                Ok(())
            }
            _ => Err(Discard::UnrelatedIcmp),
        }
    }
}
