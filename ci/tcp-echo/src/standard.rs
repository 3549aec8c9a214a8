//! The server with all of TCP.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod device;
mod server;

use mirage_clock::Instant;

/// What keeps all of it in the program.
#[used]
static SERVER: fn(Instant) -> Option<()> = server::serve::<mirage_tcp::Standard>;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
