//! The target Solo5: images for the tenders spt and hvt.

mod machine;

use mirage_solo5::Abi as _;
pub use mirage_solo5::{AbiNote, Device, Manifest};

use crate::device::DeviceKind;
use crate::{Exit, Local, Networked, image};
pub(crate) use machine::{Block, Counted, Machine, Net};

/// Which of the two tenders.
#[cfg(all(feature = "solo5-hvt", not(feature = "solo5-spt")))]
pub(crate) use mirage_solo5::Hvt as Abi;
#[cfg(feature = "solo5-spt")]
pub(crate) use mirage_solo5::Spt as Abi;

/// The note that names the tender.
#[cfg(all(feature = "solo5-hvt", not(feature = "solo5-spt")))]
pub const ABI: AbiNote = AbiNote::hvt();
/// The note that names the tender.
#[cfg(feature = "solo5-spt")]
pub const ABI: AbiNote = AbiNote::spt();

/// What is kept for the stack at the end of memory. Nothing guards it: an image cannot protect memory from itself here.
const STACK: usize = 64 * 1024;

/// Entries of the manifest for these devices: the tenders want an empty one before the first.
pub const fn entries(devices: &[&[crate::Device]]) -> usize {
    let (mut count, mut group) = (1, 0);
    while group < devices.len() {
        count += devices[group].len();
        group += 1;
    }
    count
}

/// The manifest of these devices; `N` is what [`entries`] says.
pub const fn manifest<const N: usize>(devices: &[&[crate::Device]]) -> Manifest<N> {
    let mut list = [Device::net("none"); N];
    let (mut count, mut group) = (0, 0);
    while group < devices.len() {
        let mut device = 0;
        while device < devices[group].len() {
            let crate::Device { name, kind } = devices[group][device];
            list[count] = match kind {
                DeviceKind::Net => Device::net(name),
                DeviceKind::Block => Device::block(name),
            };
            count += 1;
            device += 1;
        }
        group += 1;
    }
    Manifest::new(list.split_at(count).0)
}

/// Starts an application with a network.
///
/// # Safety
/// To be called once, as the image's entry point, with what the tender gave.
pub unsafe fn networked<A: Networked>(info: *const u8) -> ! {
    // SAFETY: the caller's conditions.
    unsafe { start(info, image::boot::<A>) }
}

/// Starts an application without a network.
///
/// # Safety
/// As [`networked`].
pub unsafe fn local<A: Local>(info: *const u8) -> ! {
    // SAFETY: the caller's conditions.
    unsafe { start(info, image::boot_local::<A>) }
}

/// # Safety
/// As [`networked`].
unsafe fn start(info: *const u8, run: impl FnOnce(Machine, &'static mut [u8]) -> Exit) -> ! {
    // SAFETY: the caller's conditions.
    let boot = unsafe { Abi::start(info) };
    let heap = boot.heap(image::end(), STACK);
    // SAFETY: this is the memory after the image and before the stack, and it is taken once.
    let line = unsafe { image::claim(heap, boot.memory_end(), boot.command_line_bytes()) };
    Machine::exit(run(Machine::new(boot), line))
}

/// The image's entry point and its notes.
#[doc(hidden)]
#[macro_export]
macro_rules! __image {
    ($app:ty, $start:ident, $devices:expr, $forwards:expr) => {
        const _: () = {
            const DEVICES: &[&[$crate::Device]] = $devices;
            const FORWARDS: &[&str] = $forwards;
            const ABOUT: $crate::About = <$app as $crate::App>::ABOUT;

            #[used]
            #[unsafe(link_section = ".note.solo5.abi")]
            static ABI: $crate::solo5::AbiNote = $crate::solo5::ABI;

            #[used]
            #[unsafe(link_section = ".note.solo5.manifest")]
            static MANIFEST: $crate::solo5::Manifest<{ $crate::solo5::entries(DEVICES) }> =
                $crate::solo5::manifest(DEVICES);

            #[used]
            #[unsafe(link_section = ".note.mirage")]
            static NOTE: $crate::image::Note<{ $crate::image::length(&ABOUT, DEVICES, FORWARDS) }> =
                $crate::image::Note::new(&ABOUT, DEVICES, FORWARDS);

            #[unsafe(no_mangle)]
            unsafe extern "C" fn _start(info: *const u8) -> ! {
                unsafe { $crate::solo5::$start::<$app>(info) }
            }
        };
    };
}
