//! The target virtio: images for virtual machines.

mod machine;

use crate::{Device, Exit, Local, Networked, image};
pub(crate) use machine::{Block, Counted, Machine, Net};
pub use mirage_virtio::Boot;

/// Starts an application with a network.
///
/// # Safety
/// To be called once, as what the boot code calls, with what it gives.
pub unsafe fn networked<A: Networked>(boot: *const Boot, devices: &'static [&'static [Device]]) -> ! {
    // SAFETY: the caller's conditions.
    unsafe { start(boot, devices, image::boot::<A>) }
}

/// Starts an application without a network.
///
/// # Safety
/// As [`networked`].
pub unsafe fn local<A: Local>(boot: *const Boot, devices: &'static [&'static [Device]]) -> ! {
    // SAFETY: the caller's conditions.
    unsafe { start(boot, devices, image::boot_local::<A>) }
}

/// # Safety
/// As [`networked`].
unsafe fn start(
    boot: *const Boot,
    devices: &'static [&'static [Device]],
    run: impl FnOnce(Machine, &'static mut [u8]) -> Exit,
) -> ! {
    // SAFETY: the boot code gives a pointer to what it keeps for good.
    let boot = unsafe { &*boot };
    // SAFETY: the boot code found this memory unused, and it is taken once.
    let line = unsafe { image::claim(boot.heap(), image::stack_end(), boot.command_line.as_bytes()) };
    Machine::exit(run(Machine::new(devices), line))
}

/// The image's entry point and its note.
#[doc(hidden)]
#[macro_export]
macro_rules! __image {
    ($app:ty, $start:ident, $devices:expr, $forwards:expr) => {
        const _: () = {
            const DEVICES: &[&[$crate::Device]] = $devices;
            const FORWARDS: &[&str] = $forwards;
            const ABOUT: $crate::About = <$app as $crate::App>::ABOUT;

            #[used]
            #[unsafe(link_section = ".note.mirage")]
            static NOTE: $crate::image::Note<{ $crate::image::length(&ABOUT, DEVICES, FORWARDS) }> =
                $crate::image::Note::new(&ABOUT, DEVICES, FORWARDS);

            #[unsafe(no_mangle)]
            unsafe extern "C" fn mirage_virtio_start(boot: *const $crate::virtio::Boot) -> ! {
                unsafe { $crate::virtio::$start::<$app>(boot, DEVICES) }
            }
        };
    };
}
