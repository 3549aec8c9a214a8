//! Replies on their way out, and connections that are broken off.

use core::convert::identity;
use core::net::IpAddr;

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use mirage_net::{ChecksumOffload, FrameWriter};
use mirage_protocols::{Ip, Packet, Protocol, SendError};

use crate::connection::todo;
use crate::demux::Tuple;
use crate::marked_bytes::MarkedBytes;
use crate::options::{Encoded, SynOptions};
use crate::pool::Pool;
use crate::replies::{Reply, Waiting};
use crate::resources::Resources;
use crate::sack::Blocks;
use crate::send_queue::SendQueue;
use crate::stamps::Stamps;
use crate::transmit::Link;
use crate::usual_syn::UsualSyn;
use crate::wire::{Checksum, Flags, HEADER_LEN, Options, STAMPED_LEN, SYN_LEN, Stamped, pseudo_v4, write_segment};
use crate::{Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// Sends the replies that wait.
    #[inline(never)]
    pub(super) fn send_replies(&mut self, now: Instant, ip: &mut impl Ip, left: &mut usize) -> Result<(), SendError> {
        while let Some(waiting) = self.replies.first()
            && *left > 0
        {
            let sent = match waiting {
                Waiting::SynAck(index, iss) => {
                    let (index, iss) = (*index, *iss);
                    self.send_syn_ack(now, index, iss, ip)
                }
                Waiting::Other(reply) => {
                    let Resources { pool, link, .. } = &mut self.resources;
                    let sent = send_reply::<P>(now, reply, ip, pool, link);
                    if reply.flags.contains(Flags::RST) && sent != Err(SendError::Full) {
                        self.resources.stats.resets_out += 1;
                    }
                    Some(sent)
                }
            };
            if sent == Some(Err(SendError::Full)) {
                return Err(SendError::Full);
            }
            self.replies.pop();
            if sent.is_none() {
                continue;
            }
            self.resources.stats.segments_out += 1;
            *left -= 1;
        }
        Ok(())
    }

    /// Sends the SYN-ACK of a handshake: the usual one in one straight line. `None` when there is no such handshake any more.
    // The slot may be another's by now, who waits for a SYN-ACK of its own.
    #[inline]
    fn send_syn_ack(
        &mut self,
        now: Instant,
        index: u32,
        iss: SequenceNumber,
        ip: &mut impl Ip,
    ) -> Option<Result<(), SendError>> {
        let Tcp { half_open, resources, .. } = self;
        let Resources { config, window_scale, link, .. } = resources;
        if P::STRAIGHT
            && let Some(slot) = half_open.slots.get(index as usize)
            && slot.iss == iss
            && let Some((value, _)) = slot.usual_stamps::<P>(config)
        {
            let tuple = &slot.tuple;
            *link = Link::ask_here(ip, tuple.remote);
            let syn_ack = UsualSyn {
                ports: u32::from(tuple.local_port) << 16 | u32::from(tuple.remote_port),
                seq: slot.iss,
                ack: slot.irs + 1,
                flags: Flags::SYN | Flags::ACK,
                window: slot.window,
                mss: link.mss,
                stamps: (Stamps::off(slot.stamp_offset).value(now), value),
                shift: *window_scale,
            };
            let (pseudo, checksum) = (tuple.pseudo_header(), Checksum::by(link.partial_checksum));
            return Some(send_header(ip, tuple, &syn_ack.bytes(pseudo, checksum), checksum));
        }
        let reply = self.syn_ack(index, iss)?;
        let Resources { pool, link, .. } = &mut self.resources;
        Some(send_reply::<P>(now, &reply, ip, pool, link))
    }

    /// Resets the peer and ends a connection that nobody holds any more.
    pub(crate) fn break_off(&mut self, index: u32) {
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        slot.set_held(false);
        // RFC 9293 §3.10.5: a reset for every state in which the peer knows of the connection.
        if !matches!(slot.state, State::Closed | State::SynSent | State::TimeWait) {
            // RFC 7323 §3.2: timestamps "SHOULD be sent in an <RST> segment".
            let reply = Reply::stamped::<P>(slot.tuple, slot.nxt, slot.rcv_nxt, 0, &slot.stamps);
            self.replies.push(reply.resetting());
        }
        slot.end(&mut self.resources, None);
        slot.todo |= todo::END;
        self.settle(index);
    }
}

/// Sends a segment that is nothing but this header.
///
/// # Errors
/// Those of [`Ip::send`].
#[inline(always)]
pub(super) fn send_header<const N: usize>(
    ip: &mut impl Ip,
    tuple: &Tuple,
    header: &[u8; N],
    checksum: Checksum,
) -> Result<(), SendError> {
    match send_header_again(ip, tuple, header, checksum) {
        Some(sent) => sent,
        None => send_header_slowly(ip, tuple, header, checksum),
    }
}

#[inline(never)]
fn send_header_slowly(ip: &mut impl Ip, tuple: &Tuple, header: &[u8], checksum: Checksum) -> Result<(), SendError> {
    ip.send(bare_packet(tuple, header.len(), checksum), |writer| writer.put(header))
}

/// The same if its packet is like the one before; `None` if nothing was done. `header` has timestamps alone, or is that of a SYN.
// One for all of them: the way down to the device is long.
#[inline(never)]
pub(super) fn send_header_again(
    ip: &mut impl Ip,
    tuple: &Tuple,
    header: &[u8],
    checksum: Checksum,
) -> Option<Result<(), SendError>> {
    let (stamped, rest) = header.split_first_chunk::<STAMPED_LEN>()?;
    let mut fill = identity(
        #[inline(always)]
        |writer: &mut FrameWriter<'_>| {
            writer.put_header(stamped);
            if let Some(rest) = rest.first_chunk::<{ SYN_LEN - STAMPED_LEN }>() {
                writer.put_header(rest);
            }
        },
    );
    ip.send_again(&bare_packet(tuple, header.len(), checksum), &mut fill)
}

/// A packet for a segment of `len` bytes between these two ends.
#[inline(always)]
fn bare_packet(tuple: &Tuple, len: usize, checksum: Checksum) -> Packet {
    let mut packet = Packet::new(tuple.local, tuple.remote, Protocol::TCP, len);
    packet.dont_fragment = true;
    packet.checksum = checksum.for_device();
    packet
}

/// What is learnt on the way of the link that a SYN-ACK takes is left in `link`.
fn send_reply<P: Profile>(
    now: Instant,
    reply: &Reply,
    ip: &mut impl Ip,
    pool: &Pool<'_>,
    link: &mut Link,
) -> Result<(), SendError> {
    let tuple = &reply.tuple;
    let stamps = reply.stamps.filter(|_| P::TIMESTAMPS).map(|(offset, recent)| {
        let value = Stamps::off(offset).value(now);
        (reply.told.map_or(value, |told| told.stamp(value)), recent)
    });
    if P::STRAIGHT
        && !reply.flags.contains(Flags::SYN)
        && let Some(stamps) = stamps
        && let Some(sent) = send_stamped(reply, stamps, ip)
    {
        return sent;
    }
    let mut options = Encoded::default();
    if reply.flags.contains(Flags::SYN) {
        let mss = match P::BURSTS {
            true => {
                *link = Link::ask(ip, tuple.remote);
                link.mss
            }
            false => super::our_mss(ip, tuple.remote),
        };
        options = SynOptions {
            mss: Some(mss),
            window_scale: reply.window_scale,
            sack_permitted: reply.selective,
            timestamps: stamps,
            marks: false,
            accurate: None,
        }
        .emit();
        if P::MARKS && reply.marked {
            options.put_marked(&MarkedBytes::NONE);
        }
        if P::FAST_OPEN
            && let Some(cookie) = &reply.cookie
        {
            options.put_cookie(cookie);
        }
    } else if stamps.is_some() {
        options.put_heard(stamps, &Blocks::NONE);
    }
    let header = reply.header();
    let len = HEADER_LEN + options.as_slice().len();
    let checksum = match P::BURSTS && reply.flags.contains(Flags::SYN) {
        true => Checksum::by(link.partial_checksum),
        false => checksum_to(tuple, ip),
    };
    let packet = bare_packet(tuple, len, checksum);
    if !P::BURSTS {
        let options = Options::Bytes(options.as_slice());
        let payload = (&SendQueue::default(), pool, 0, 0);
        return super::send_from(payload, ip, packet, tuple, &header, options, checksum);
    }
    let options = options.as_slice();
    ip.send(packet, |writer| write_segment(writer, (tuple.local, tuple.remote), &header, options, [], checksum))
}

/// Sends a reply with these timestamps and nothing else, if its packet is like the one before; `None` if nothing was done.
#[inline(always)]
fn send_stamped(reply: &Reply, (value, echo): (u32, u32), ip: &mut impl Ip) -> Option<Result<(), SendError>> {
    let tuple = &reply.tuple;
    let (IpAddr::V4(local), IpAddr::V4(remote)) = (tuple.local, tuple.remote) else { return None };
    if reply.accurate || checksum_to(tuple, ip) == Checksum::Partial {
        return None;
    }
    let header = Stamped {
        pseudo: pseudo_v4(local, remote),
        source_port: tuple.local_port,
        destination_port: tuple.remote_port,
        seq: reply.seq,
        ack: reply.ack,
        flags: reply.flags,
        window: reply.window,
        value,
        echo,
    };
    send_header_again(ip, tuple, &header.bare(), Checksum::Complete)
}

/// Who completes checksums on the way to the peer.
#[inline]
fn checksum_to(tuple: &Tuple, ip: &impl Ip) -> Checksum {
    let offload = if tuple.remote.is_ipv4() { ChecksumOffload::TCP_V4 } else { ChecksumOffload::TCP_V6 };
    Checksum::by(ip.capabilities(tuple.remote).checksum.contains(offload))
}
