//! A virtio console.

use core::cell::RefCell;

use virtio_drivers::device::console::VirtIOConsole;
use virtio_drivers::{Error, Result};

use super::ALSO;
use crate::machine::devices::DeviceTransport;
use crate::machine::dma::Dma;
use crate::machine::single::Single;

/// From now on prints on this virtio console too. It needs the allocator.
///
/// Printing waits until the host has taken the bytes.
///
/// # Errors
/// Those of the driver, above all [`Error::AlreadyUsed`] when one is attached already; nothing has changed then.
pub fn attach(transport: DeviceTransport) -> Result<()> {
    let mut console = CONSOLE.try_borrow_mut().map_err(|_| Error::AlreadyUsed)?;
    if console.is_some() {
        return Err(Error::AlreadyUsed);
    }
    *console = Some(VirtIOConsole::new(transport)?);
    ALSO.set(Some(write));
    Ok(())
}

fn write(bytes: &[u8]) {
    // What the driver itself has to say, if it fails, is only on the serial port.
    let Ok(mut console) = CONSOLE.try_borrow_mut() else { return };
    if let (Some(console), false) = (console.as_mut(), bytes.is_empty()) {
        // A console that fails has no other place to say so.
        let _ = console.send_bytes(bytes);
    }
}

// SAFETY: only the one processor uses it.
static CONSOLE: Single<RefCell<Option<VirtIOConsole<Dma, DeviceTransport>>>> =
    unsafe { Single::new(RefCell::new(None)) };
