//! A program for the host's own operating system may have the crate among its dependencies: it links, and what needs no machine
//! of its own works. The entries of images, which refer to what only images have, must not get into it.

use mirage_random::EntropySource;
use mirage_virtio::{Console, Dma, HardwareEntropy, MonotonicClock, WallClock};
use virtio_drivers::{BufferDirection, Hal};

#[test]
fn memory_for_devices_comes_from_the_allocator() {
    let (address, memory) = Dma::dma_alloc(1, BufferDirection::Both);
    assert_eq!(memory.as_ptr().addr() as u64, address);
    // SAFETY: given back as it was taken.
    assert_eq!(unsafe { Dma::dma_dealloc(address, memory, 1) }, 0);
}

#[test]
fn entropy_is_there_or_it_is_not() {
    let mut bytes = [0; 32];
    let filled = HardwareEntropy::new(None).fill(&mut bytes);
    assert_eq!(filled.is_ok(), bytes != [0; 32]);
}

#[test]
fn what_needs_a_machine_is_linked_all_the_same() {
    // Never called: they would touch ports.
    let all: [*const (); 4] = [
        mirage_virtio::exit as *const (),
        mirage_virtio::wait as *const (),
        mirage_virtio::console::write as *const (),
        mirage_virtio::console::attach as *const (),
    ];
    assert!(all.iter().all(|function| !function.is_null()));
    assert_eq!(size_of::<(Console, MonotonicClock, WallClock)>(), 0);
    let _: fn(&mut dyn FnMut(mirage_virtio::Device)) = mirage_virtio::devices;
}
