//! The server: tables on its stack, a loop, four connections.

use core::hint::black_box;
use core::net::Ipv4Addr;
use core::num::NonZeroU16;
use core::task::{Context, Poll, Waker};

use mirage_arp::{Arp, Claim};
use mirage_clock::Instant;
use mirage_ethernet::Ethernet;
use mirage_ipv4::{Fragmentation, Ipv4};
use mirage_net::{Frame, Transmit as _};
use mirage_protocols::{EtherType, InterfaceId, Ipv4Cidr, Protocol};
use mirage_tcp::{
    ConnectionId, HalfOpenSlot, ListenOptions, ListenerSlot, Local, Profile, RunSlot, Secrets, Slot, Tcp, TimeWaitSlot,
    TimerSlot,
};

use crate::device::{FRAME, Wire};

/// Serves for ever; `None` when it cannot begin.
#[inline(never)]
pub(crate) fn serve<P: Profile>(mut now: Instant) -> Option<()> {
    let mut wire = Wire([0; FRAME]);
    let mut inlet = [0; FRAME];

    let mut entries = [const { mirage_arp::Entry::EMPTY }; 8];
    let mut claims = [None];
    let mut pending = [const { None }; 4];
    let mut bytes = [0; FRAME];
    let mut messages = [const { None }; 4];
    let mut events = [const { None }; 4];
    let storage = mirage_arp::Storage {
        entries: (&mut entries[..]).into(),
        addresses: (&mut claims[..]).into(),
        pending: (&mut pending[..]).into(),
        bytes: (&mut bytes[..]).into(),
        messages: (&mut messages[..]).into(),
        events: (&mut events[..]).into(),
    };
    let mut arp = Arp::new(mirage_arp::Config::new(wire.mac()), storage, black_box([1; 16]));

    let mut addresses = [None];
    let mut routes = [None];
    let storage = mirage_ipv4::Storage {
        addresses: (&mut addresses[..]).into(),
        routes: (&mut routes[..]).into(),
        groups: (&mut [][..]).into(),
        reassembly: (&mut [][..]).into(),
        assembly: (&mut [][..]).into(),
        fragments_out: (&mut [][..]).into(),
    };
    let mut ipv4 = Ipv4::new(mirage_ipv4::Config::new(Fragmentation::NONE), storage, black_box([2; 16]));

    let mut connections: [Slot<P>; 4] = Default::default();
    let mut buckets = [0; 16];
    let mut listeners = [ListenerSlot::default()];
    let mut time_wait: [TimeWaitSlot; 4] = Default::default();
    let mut half_open: [HalfOpenSlot; 4] = Default::default();
    let mut timers: [TimerSlot; 9] = Default::default();
    let mut blocks: [mirage_tcp::Block; 8] = Default::default();
    // Only who hears of selective acknowledgments keeps records.
    let mut runs: Option<[RunSlot; 16]> = P::SELECTIVE.then(Default::default);
    let mut wakers = [const { mirage_waker::Slot::EMPTY }; 8];
    let storage = mirage_tcp::Storage {
        connections: (&mut connections[..]).into(),
        buckets: (&mut buckets[..]).into(),
        listeners: (&mut listeners[..]).into(),
        time_wait: (&mut time_wait[..]).into(),
        half_open: (&mut half_open[..]).into(),
        timers: (&mut timers[..]).into(),
        blocks: (&mut blocks[..]).into(),
        runs: runs.as_mut().map_or_else(|| (&mut [][..]).into(), |runs| (&mut runs[..]).into()),
        wakers: mirage_waker::WakerPool::new(&mut wakers[..]),
    };
    let mut tcp = Tcp::<P>::new(mirage_tcp::Config::default(), storage, Secrets::new(black_box([3; 64])));
    let ethernet = Ethernet::new(wire.mac(), None, &mut [][..]);

    let here = Ipv4Addr::new(10, 0, 0, 2);
    ipv4.add_address(InterfaceId(0), Ipv4Cidr::new(here, 24).ok()?).ok()?;
    arp.add_address(now, here, Claim::AtOnce).ok()?;
    let door = Local { address: None, port: NonZeroU16::new(7) };
    let listener = tcp.listen(door, ListenOptions::default()).ok()?;
    let mut cx = Context::from_waker(Waker::noop());
    let mut open: [Option<ConnectionId>; 4] = [None; 4];
    loop {
        now = black_box(now);
        arp.handle_timeout(now);
        tcp.handle_timeout(now);
        let received = inlet.get(..black_box(0)).unwrap_or_default();
        if !received.is_empty() {
            take_in(now, &Frame::new(received), (&ethernet, &mut arp, &mut ipv4, &mut tcp));
        }
        black_box(&mut inlet);
        if let Poll::Ready(Ok(id)) = tcp.poll_accept(listener, &mut cx)
            && let Some(place) = open.iter_mut().find(|place| place.is_none())
        {
            *place = Some(id);
        }
        for place in &mut open {
            echo(&mut tcp, place, &mut cx);
        }
        let mut link = ethernet.over(&mut wire);
        let _full = arp.poll_transmit(now, &mut link);
        let neighbours = arp.over(now, link);
        let _full = tcp.poll_transmit(now, &mut ipv4.over(neighbours), 64);
        black_box([tcp.poll_timeout(), arp.poll_timeout()]);
    }
}

/// The walk of a frame inwards. What is dropped is counted where it is.
fn take_in<P: Profile>(
    now: Instant,
    frame: &Frame<'_>,
    (ethernet, arp, ipv4, tcp): (&Ethernet<'_>, &mut Arp<'_>, &mut Ipv4<'_>, &mut Tcp<'_, P>),
) {
    let Ok(frame) = ethernet.input(frame) else { return };
    if frame.ethertype == EtherType::ARP {
        let _counted = arp.input(now, frame.payload, frame.source);
    } else if frame.ethertype == EtherType::IPV4
        && let Ok(Some(packet)) =
            ipv4.input(now, InterfaceId(0), frame.cast, frame.payload, frame.checksum, frame.segment_size)
        && packet.protocol == Protocol::TCP
    {
        let _counted = tcp.input(now, &packet.received);
    }
}

/// Sends back what has come, as far as there is room.
fn echo<P: Profile>(tcp: &mut Tcp<'_, P>, place: &mut Option<ConnectionId>, cx: &mut Context<'_>) {
    let Some(id) = *place else { return };
    if !tcp.can_write(id) {
        return;
    }
    let mut data = [0; 512];
    match tcp.poll_read(id, cx, &mut data) {
        Poll::Ready(Ok(count @ 1..)) => _ = tcp.poll_write(id, cx, &data[..count]),
        Poll::Ready(_) => {
            tcp.close(id);
            *place = None;
        }
        Poll::Pending => {}
    }
}
