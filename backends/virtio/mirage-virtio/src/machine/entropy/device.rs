//! The device that gives entropy (Virtual I/O Device 1.2 §5.4).

use mirage_virtqueue::{Memory, Piece, Queue, VERSION_1, accept, begin, finish, reset};
use virtio_drivers::Hal;
use virtio_drivers::transport::{DeviceType, Transport};

/// Bytes that it is asked for at most at once.
const MOST: usize = 1_024;

/// A device that gives entropy.
pub(super) struct EntropyDevice<H: Hal, T: Transport> {
    transport: T,
    queue: Queue<H>,
    memory: Memory<H>,
}

impl<H: Hal, T: Transport> EntropyDevice<H, T> {
    /// Lets it begin; `None` when it is another device or does not start.
    pub(super) fn new(mut transport: T) -> Option<Self> {
        if transport.device_type() != DeviceType::EntropySource {
            return None;
        }
        let features = begin(&mut transport) & VERSION_1;
        accept(&mut transport, features).ok()?;
        let queue = Queue::new(&mut transport, 0, 1, features).ok()?;
        let memory = Memory::new(MOST)?;
        finish(&mut transport);
        Some(Self { transport, queue, memory })
    }

    /// Fills the beginning of `bytes`, waits until that is done, and says how many they are. `None` for a device that says
    /// nonsense.
    pub(super) fn request(&mut self, bytes: &mut [u8]) -> Option<usize> {
        let len = bytes.len().min(MOST);
        let piece = Piece { address: self.memory.address(0), len: len as u32, written: true };
        // SAFETY: the memory stays until the device is reset, which is before it is dropped, and nobody looks at it while the
        // device has it: one piece is out at a time, and a device that does not give it back ends this for good.
        unsafe { self.queue.add(&[piece], 0) }.ok()?;
        self.queue.notify(&mut self.transport);
        let used = loop {
            match self.queue.take().ok()? {
                Some(used) => break used,
                None => core::hint::spin_loop(),
            }
        };
        let len = len.min(used.len as usize);
        // SAFETY: it came back.
        let given = unsafe { self.memory.bytes(0, len) }?;
        bytes.get_mut(..len)?.copy_from_slice(given);
        Some(len)
    }
}

impl<H: Hal, T: Transport> Drop for EntropyDevice<H, T> {
    fn drop(&mut self) {
        reset(&mut self.transport);
    }
}

#[cfg(test)]
mod tests {
    use mirage_virtqueue::testing::{Host, Model};

    use super::*;

    fn model(kind: DeviceType) -> Model {
        Model::new(kind, VERSION_1, &[8], &[])
    }

    #[test]
    fn it_starts_and_is_reset_in_the_end() {
        let model = model(DeviceType::EntropySource);
        let device = EntropyDevice::<Host, _>::new(model.clone()).expect("a good device");
        assert!(model.is_running());
        drop(device);
        assert!(!model.is_running());
    }

    #[test]
    fn another_device_and_one_that_refuses_are_none() {
        assert!(EntropyDevice::<Host, _>::new(model(DeviceType::Network)).is_none());
        assert!(EntropyDevice::<Host, _>::new(model(DeviceType::EntropySource).refusing()).is_none());
    }

    #[test]
    fn a_device_that_gives_back_what_it_does_not_hold_gives_nothing() {
        let model = model(DeviceType::EntropySource);
        let mut device = EntropyDevice::<Host, _>::new(model.clone()).expect("a good device");
        model.put(0, 7, 100);
        model.publish(0);
        assert_eq!(device.request(&mut [0; 10]), None);
    }

    #[test]
    fn what_it_wrote_is_given_and_no_more_than_there_is_room_for() {
        for (said, given) in [(3, 3), (10, 10), (99, 10)] {
            let model = model(DeviceType::EntropySource);
            let mut device = EntropyDevice::<Host, _>::new(model.clone()).expect("a good device");
            // Before it is asked: nobody could answer while it waits.
            model.put(0, 0, said);
            model.publish(0);
            assert_eq!(device.request(&mut [0; 10]), Some(given));
        }
    }
}
