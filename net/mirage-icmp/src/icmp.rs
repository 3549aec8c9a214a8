//! The machine: it answers echo requests at once, hands errors up, and tells errors.

use core::net::IpAddr;

use mirage_checksum::{Sum, update};
use mirage_clock::Instant;
use mirage_net::SendError;
use mirage_protocols::{Cast, Counts, IcmpError, Ip, Packet, Protocol, Reason, Received};
use mirage_secret::Draws;
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, IntoBytes};

use crate::limit::{Bucket, ONE};
use crate::wire::{ECHO_REPLY, ECHO_REQUEST, Header};
use crate::{Discard, ErrorToSend, Rate, original, quote};

/// How talkative to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Answers to echo requests.
    pub echo_replies: Rate,
    /// Errors told to senders (RFC 1812 §4.3.2.8).
    pub errors: Rate,
}

impl Default for Config {
    /// 10,000 answers in a second and 1,000 at once; 1,000 errors in a second and 50 at once.
    fn default() -> Self {
        Self { echo_replies: Rate { per_second: 10_000, burst: 1_000 }, errors: Rate { per_second: 1_000, burst: 50 } }
    }
}

/// A message that somebody above waits for.
#[derive(Clone, Copy, Debug)]
pub enum Incoming<'p> {
    /// Something went wrong with a packet of ours: for the transport that sent it.
    Error(IcmpError<'p>),
    /// Somebody answered our [`Icmp::echo_request`].
    EchoReply {
        /// Who.
        source: IpAddr,
        /// As in the request.
        identifier: u16,
        /// As in the request.
        sequence: u16,
        /// What came back; it should be what was sent.
        payload: &'p [u8],
    },
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Echo requests answered.
    pub echo_replies_sent: u64,
    /// Errors handed to transports.
    pub errors_received: u64,
    /// Errors told to senders.
    pub errors_sent: u64,
}

/// ICMP for IPv4. It keeps nothing of any message, so it needs no storage and no timers.
#[derive(Debug)]
pub struct Icmp {
    /// What each error is to cost.
    draws: Draws,
    echo_replies: Bucket,
    errors: Bucket,
    stats: Stats,
    discards: Counts<Discard, { Discard::ALL.len() }>,
}

impl Icmp {
    /// A machine. `secret` must be unpredictable: it hides how many errors the limit still lets through.
    pub fn new(config: Config, secret: [u8; 16]) -> Self {
        Self {
            draws: Draws::new(secret),
            echo_replies: Bucket::new(config.echo_replies),
            errors: Bucket::new(config.errors),
            stats: Stats::default(),
            discards: Counts::default(),
        }
    }

    /// Takes a message. An echo request is answered at once through `ip`, straight from the received bytes.
    ///
    /// # Errors
    /// The reason why the message was dropped; it is already counted.
    pub fn input<'p>(
        &mut self,
        now: Instant,
        received: &Received<'p>,
        ip: &mut impl Ip,
    ) -> Result<Option<Incoming<'p>>, Discard> {
        let taken = self.take(now, received, ip);
        if let Err(reason) = taken {
            self.discards.count(reason);
        }
        taken
    }

    /// Sends an echo request. The answer comes out of [`input`](Self::input) as [`Incoming::EchoReply`].
    ///
    /// # Errors
    /// Those of [`Ip::send`]; [`SendError::NoRoute`] also where `destination` is not IPv4.
    pub fn echo_request(
        &mut self,
        destination: IpAddr,
        identifier: u16,
        sequence: u16,
        payload: &[u8],
        ip: &mut impl Ip,
    ) -> Result<(), SendError> {
        let source = ip.source(destination).filter(|_| destination.is_ipv4()).ok_or(SendError::NoRoute)?;
        let rest = [U16::new(identifier), U16::new(sequence)];
        let mut header = Header { kind: ECHO_REQUEST, code: 0, checksum: U16::ZERO, rest };
        header.checksum = U16::new(Sum::of(header.as_bytes()).add_bytes(payload).finish());
        let packet = Packet::new(source, destination, Protocol::ICMP, Header::LEN + payload.len());
        ip.send(packet, |out| {
            out.put(header.as_bytes());
            // Copied because the request outlives the caller's buffer.
            out.put(payload);
        })
    }

    /// Tells the sender of a packet that something is wrong with it, quoting as much as fits 576 bytes
    /// (RFC 1812 §4.3.2.3).
    ///
    /// `original_header` is the packet's IP header with its options, `original_payload` what came behind it, `cast` whom it
    /// was sent to.
    ///
    /// # Errors
    /// The reason why nothing was sent; it is already counted.
    pub fn send_error(
        &mut self,
        now: Instant,
        error: ErrorToSend,
        original_header: &[u8],
        original_payload: &[u8],
        cast: Cast,
        ip: &mut impl Ip,
    ) -> Result<(), Discard> {
        let told = self.tell(now, error, original_header, original_payload, cast, ip);
        match told {
            Ok(()) => self.stats.errors_sent += 1,
            Err(reason) => self.discards.count(reason),
        }
        told
    }

    /// What was done so far.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// What was dropped so far, by reason.
    pub const fn discards(&self) -> &Counts<Discard, { Discard::ALL.len() }> {
        &self.discards
    }

    fn take<'p>(
        &mut self,
        now: Instant,
        received: &Received<'p>,
        ip: &mut impl Ip,
    ) -> Result<Option<Incoming<'p>>, Discard> {
        if !received.source.is_ipv4() || !received.destination.is_ipv4() {
            return Err(Discard::NotIpv4);
        }
        let (header, behind) = Header::ref_from_prefix(received.payload).map_err(|_| Discard::TooShort)?;
        if !mirage_checksum::verify(received.payload) {
            return Err(Discard::BadChecksum);
        }
        if received.cast != Cast::Unicast {
            return Err(Discard::NotUnicast);
        }
        match (header.kind, header.code) {
            (ECHO_REQUEST, 0) => {
                self.reply(now, received, header, behind, ip)?;
                Ok(None)
            }
            (ECHO_REPLY, 0) => {
                let [identifier, sequence] = header.rest.map(U16::get);
                Ok(Some(Incoming::EchoReply { source: received.source, identifier, sequence, payload: behind }))
            }
            (ECHO_REQUEST | ECHO_REPLY, _) => Err(Discard::UnknownCode),
            _ => {
                let error = quote::error(quote::kind(header)?, received, behind)?;
                self.stats.errors_received += 1;
                Ok(Some(Incoming::Error(error)))
            }
        }
    }

    fn reply(
        &mut self,
        now: Instant,
        received: &Received<'_>,
        request: &Header,
        payload: &[u8],
        ip: &mut impl Ip,
    ) -> Result<(), Discard> {
        if received.source.is_unspecified() || received.source == received.destination {
            return Err(Discard::BadSource);
        }
        if !self.echo_replies.take(now, ONE) {
            return Err(Discard::RateLimited);
        }
        // Only the type changes, so the sum needs no second pass over the payload.
        let checksum = update(request.checksum.get(), u16::from_be_bytes([ECHO_REQUEST, 0]), 0);
        let header = Header { kind: ECHO_REPLY, code: 0, checksum: U16::new(checksum), rest: request.rest };
        // RFC 1122 §3.2.2.6: "the IP source address in an ICMP Echo Reply MUST be the same as the specific-destination
        // address of the corresponding ICMP Echo Request message", and "Data received in an ICMP Echo Request MUST be
        // entirely included in the resulting Echo Reply".
        let packet = Packet::new(received.destination, received.source, Protocol::ICMP, received.payload.len());
        let sent = ip.send(packet, |out| {
            out.put(header.as_bytes());
            // The one copy: from the receive ring to the transmit ring.
            out.put(payload);
        });
        sent.map_err(|_| Discard::ReplyDropped)?;
        self.stats.echo_replies_sent += 1;
        Ok(())
    }

    fn tell(
        &mut self,
        now: Instant,
        error: ErrorToSend,
        original_header: &[u8],
        original_payload: &[u8],
        cast: Cast,
        ip: &mut impl Ip,
    ) -> Result<(), Discard> {
        let (to, from) = original::answerable(original_header, original_payload, cast)?;
        let cost = self.draw_cost();
        if !self.errors.take(now, cost) {
            return Err(Discard::RateLimited);
        }
        let to = IpAddr::V4(to);
        let most = (LONGEST - Header::LEN).min(ip.mtu(to).saturating_sub(Header::LEN));
        let room = most.checked_sub(original_header.len()).ok_or(Discard::ReplyDropped)?;
        let original_payload = original_payload.get(..room).unwrap_or(original_payload);

        let (kind, code, pointer) = error.fields();
        let rest = [U16::from_bytes([pointer, 0]), U16::ZERO];
        let mut header = Header { kind, code, checksum: U16::ZERO, rest };
        let sum = Sum::of(header.as_bytes()).add_bytes(original_header).add_bytes(original_payload);
        header.checksum = U16::new(sum.finish());
        let len = Header::LEN + original_header.len() + original_payload.len();
        let packet = Packet::new(IpAddr::V4(from), to, Protocol::ICMP, len);
        let sent = ip.send(packet, |out| {
            out.put(header.as_bytes());
            out.put(original_header);
            // Copied: the quote must leave with the error.
            out.put(original_payload);
        });
        sent.map_err(|_| Discard::ReplyDropped)
    }

    /// Between half a token and one and a half, one on average. With a fixed cost a stranger who spends the burst with
    /// forged packets learns from the errors that he himself gets whether a port is open (SAD DNS, CVE-2020-25705).
    fn draw_cost(&mut self) -> u64 {
        ONE / 2 + self.draws.below(ONE + 1)
    }
}

/// Longest error without its IP header, in bytes: 576 with one that has no options.
const LONGEST: usize = 576 - 20;
