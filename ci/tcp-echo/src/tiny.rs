//! The server on the smallest host there is.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod device;

use core::hint::black_box;
use core::net::Ipv4Addr;
use core::task::{Context, Poll, Waker};

use device::{FRAME, Wire};
use mirage_clock::Instant;
use mirage_net::{Frame, Transmit as _};
use mirage_tiny::{ConnectionId, Host, ListenOptions, Storage};

/// What keeps all of it in the program.
#[used]
static SERVER: fn(Instant) -> Option<()> = serve;

/// Serves for ever; `None` when it cannot begin.
#[inline(never)]
fn serve(mut now: Instant) -> Option<()> {
    let mut wire = Wire([0; FRAME]);
    let mut inlet = [0; FRAME];

    let mut connections = [const { mirage_tiny::Slot::EMPTY }; 4];
    let mut listeners = [mirage_tiny::Door::default()];
    let mut buffers = [0; 4 * 2 * 2048];
    let mut wakers = [const { mirage_waker::Slot::EMPTY }; 8];
    let mut neighbours = [mirage_tiny::Neighbour::EMPTY; 8];
    let mut waiting = [0; FRAME];
    let storage = Storage {
        connections: (&mut connections[..]).into(),
        buffers: (&mut buffers[..]).into(),
        listeners: (&mut listeners[..]).into(),
        wakers: (&mut wakers[..]).into(),
        neighbours: (&mut neighbours[..]).into(),
        waiting: (&mut waiting[..]).into(),
        sockets: (&mut [][..]).into(),
        datagrams: (&mut [][..]).into(),
        socket_wakers: (&mut [][..]).into(),
    };
    let mut host = Host::new(wire.mac().octets(), wire.mtu(), storage, black_box([1; 16]));
    host.set_address(mirage_tiny::Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, 2), 24).ok()?);
    let listener = host.listen(7, ListenOptions::default()).ok()?;
    let mut cx = Context::from_waker(Waker::noop());
    let mut open: [Option<ConnectionId>; 4] = [None; 4];
    loop {
        now = black_box(now);
        host.handle_timeout(now);
        let received = inlet.get(..black_box(0)).unwrap_or_default();
        if !received.is_empty() {
            host.input(now, &Frame::new(received), &mut wire);
        }
        black_box(&mut inlet);
        if let Poll::Ready(Ok(id)) = host.poll_accept(listener, &cx)
            && let Some(place) = open.iter_mut().find(|place| place.is_none())
        {
            *place = Some(id);
        }
        for place in &mut open {
            echo(&mut host, place, &mut cx);
        }
        let _full = host.poll_transmit(now, &mut wire, 64);
        black_box(host.poll_timeout());
    }
}

/// Sends back what has come, as far as there is room.
fn echo(host: &mut Host<'_>, place: &mut Option<ConnectionId>, cx: &mut Context<'_>) {
    let Some(id) = *place else { return };
    if !host.can_write(id) {
        return;
    }
    let mut data = [0; 512];
    match host.poll_read(id, cx, &mut data) {
        Poll::Ready(Ok(count @ 1..)) => _ = host.poll_write(id, cx, &data[..count]),
        Poll::Ready(_) => {
            host.close(id);
            *place = None;
        }
        Poll::Pending => {}
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
