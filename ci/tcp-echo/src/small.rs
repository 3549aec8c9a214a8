//! The server with as little of TCP as there can be.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod device;
mod server;

use mirage_clock::Instant;

/// What keeps all of it in the program.
#[used]
static SERVER: fn(Instant) -> Option<()> = server::serve::<mirage_tcp::Small>;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
