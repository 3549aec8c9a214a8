//! The queue against a model of the device's side.

use mirage_virtqueue::testing::{Host, Model};
use mirage_virtqueue::{
    Broken, EVENT_INDEX, Full, Memory, Piece, Queue, Refused, Used, VERSION_1, accept, begin, finish, reset,
};
use virtio_drivers::transport::DeviceType;

struct Driver {
    model: Model,
    queue: Queue<Host>,
    memory: Memory<Host>,
}

fn driver(features: u64, most: u16) -> Driver {
    let model = Model::new(DeviceType::EntropySource, features | VERSION_1, &[256], &[]);
    started(model, features, most)
}

fn started(model: Model, features: u64, most: u16) -> Driver {
    let mut transport = model.clone();
    let offered = begin(&mut transport);
    accept(&mut transport, offered & (features | VERSION_1)).expect("a device that accepts");
    let queue = Queue::new(&mut transport, 0, most, features).expect("a queue");
    finish(&mut transport);
    Driver { model, queue, memory: Memory::new(4096).expect("a page") }
}

impl Driver {
    fn add(&mut self, pieces: &[(usize, u32, bool)], tag: u16) -> Result<(), Full> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|(at, len, written)| Piece { address: self.memory.address(*at), len: *len, written: *written })
            .collect();
        // SAFETY: the memory is dropped after the queue, and each test resets the device or is done with it by then.
        unsafe { self.queue.add(&pieces, tag) }
    }

    fn notify(&mut self) {
        self.queue.notify(&mut self.model);
    }

    /// Lets the device take one chain and give it back.
    fn serve(&mut self, len: u32) {
        let chain = self.model.take(0).expect("a chain");
        self.model.put(0, chain.id, len);
        self.model.publish(0);
    }
}

#[test]
fn chains_go_out_and_come_back_with_their_tags_in_any_order() {
    let mut driver = driver(0, 8);
    // SAFETY: the device has nothing yet.
    unsafe { driver.memory.bytes_mut(0, 5) }.expect("within").copy_from_slice(b"hello");
    driver.add(&[(0, 5, false), (100, 4, true), (200, 4, true)], 7).expect("room");
    driver.add(&[(300, 1, true)], 8).expect("room");
    assert!(driver.model.take(0).is_none(), "not before the notification");
    driver.notify();
    assert_eq!(driver.model.notifications(0), 1);
    let (first, second) = (driver.model.take(0).expect("first"), driver.model.take(0).expect("second"));
    assert_eq!(first.read(), b"hello");
    assert_eq!(first.lengths(), [vec![5], vec![4, 4]]);
    assert_eq!(first.write(b"answers"), 7);
    driver.model.put(0, second.id, 1);
    driver.model.put(0, first.id, 7);
    assert_eq!(driver.queue.take(), Ok(None), "not before it is published");
    driver.model.publish(0);
    assert_eq!(driver.queue.take(), Ok(Some(Used { tag: 8, len: 1 })));
    assert_eq!(driver.queue.take(), Ok(Some(Used { tag: 7, len: 7 })));
    assert_eq!(driver.queue.take(), Ok(None));
    // SAFETY: the device gave everything back.
    let answer = unsafe { [driver.memory.bytes(100, 4), driver.memory.bytes(200, 3)] };
    assert_eq!(answer, [Some(&b"answ"[..]), Some(b"ers")]);
    assert_eq!((driver.queue.free(), driver.queue.out()), (8, 0));
}

#[test]
fn a_full_queue_takes_no_more_and_a_chain_of_nothing_is_none() {
    let mut driver = driver(0, 4);
    assert_eq!(driver.add(&[], 0), Err(Full));
    driver.add(&[(0, 1, false), (1, 1, false), (2, 1, false)], 1).expect("room");
    assert_eq!(driver.add(&[(0, 1, false), (1, 1, false)], 2), Err(Full));
    driver.add(&[(3, 1, false)], 3).expect("room for one");
    assert_eq!(driver.add(&[(3, 1, false)], 4), Err(Full));
    driver.notify();
    driver.serve(0);
    assert_eq!(driver.queue.take(), Ok(Some(Used { tag: 1, len: 0 })));
    assert_eq!(driver.queue.free(), 3);
    driver.add(&[(0, 1, false), (1, 1, false), (2, 1, true)], 5).expect("the three are free again");
}

#[test]
fn the_size_is_a_power_of_two_that_the_device_can() {
    for (device, most, size) in [(256, 100, 64), (16, 100, 16), (1, 8, 1), (100, 300, 64)] {
        let model = Model::new(DeviceType::EntropySource, VERSION_1, &[device], &[]);
        assert_eq!(started(model, 0, most).queue.size(), size);
    }
    let mut none = Model::new(DeviceType::EntropySource, VERSION_1, &[0], &[]);
    assert_eq!(Queue::<Host>::new(&mut none, 0, 8, 0).err(), Some(Refused::NoQueue));
    assert_eq!(Queue::<Host>::new(&mut none, 1, 8, 0).err(), Some(Refused::NoQueue));
}

#[test]
fn a_device_that_does_not_accept_our_features_is_not_used() {
    let mut model = Model::new(DeviceType::EntropySource, VERSION_1, &[8], &[]).refusing();
    let offered = begin(&mut model);
    assert_eq!(accept(&mut model, offered), Err(Refused::Features));
    assert!(!model.is_running());
}

#[test]
fn a_device_from_before_version_1_works_too() {
    let model = Model::new(DeviceType::EntropySource, 0, &[256], &[]).legacy();
    let mut driver = started(model, 0, 256);
    for tag in 0..600 {
        driver.add(&[(0, 1, false), (8, 8, true)], tag).expect("room");
        driver.notify();
        driver.serve(8);
        assert_eq!(driver.queue.take(), Ok(Some(Used { tag, len: 8 })));
    }
}

/// 70,000 chains: every index wraps.
#[test]
fn notifications_and_interrupts_come_when_they_are_wanted_also_where_indices_wrap() {
    for features in [0, EVENT_INDEX] {
        let mut driver = driver(features, 8);
        for round in 0..23_334_u32 {
            let (wanted, armed) = (round % 3 != 0, round % 2 == 0);
            let (notified, interrupted) = (driver.model.notifications(0), driver.model.interrupts());
            driver.model.want_notification(0, wanted);
            if armed {
                assert_eq!(driver.queue.arm(2), Ok(false));
            } else {
                driver.queue.disarm();
            }
            for tag in 0..3 {
                driver.add(&[(0, 1, false)], tag).expect("room");
            }
            driver.notify();
            let notifications = driver.model.notifications(0) - notified;
            assert_eq!(notifications, usize::from(wanted), "round {round}, features {features:#x}");
            driver.serve(0);
            let first = driver.model.interrupts() - interrupted;
            driver.serve(0);
            driver.serve(0);
            let interrupts = driver.model.interrupts() - interrupted;
            assert_eq!(interrupts, usize::from(armed), "round {round}, features {features:#x}");
            assert!(features == 0 || first == 0, "the second chain was asked for");
            let _pending = virtio_drivers::transport::Transport::ack_interrupt(&mut driver.model);
            for tag in 0..3 {
                assert_eq!(driver.queue.take(), Ok(Some(Used { tag, len: 0 })));
            }
        }
    }
}

#[test]
fn arming_says_whether_it_came_too_late() {
    for features in [0, EVENT_INDEX] {
        let mut driver = driver(features, 8);
        driver.add(&[(0, 1, false)], 1).expect("room");
        driver.add(&[(0, 1, false)], 2).expect("room");
        driver.notify();
        driver.serve(0);
        assert_eq!(driver.queue.arm(1), Ok(true));
        assert_eq!(driver.queue.arm(2), Ok(false));
        driver.serve(0);
        assert_eq!(driver.queue.arm(2), Ok(true));
    }
}

#[test]
fn a_device_that_gives_what_it_does_not_hold_is_found_out() {
    // Never given, outside the table, given back twice, more than it was told of.
    for lie in [3, 8, 65_536, u32::MAX] {
        let mut driver = driver(0, 8);
        driver.add(&[(0, 1, true)], 1).expect("room");
        driver.notify();
        driver.model.put(0, lie, 1);
        driver.model.publish(0);
        assert_eq!(driver.queue.take(), Err(Broken), "{lie}");
        assert_eq!(driver.queue.take(), Err(Broken), "{lie}, and for ever");
    }
    let mut driver = driver(0, 8);
    driver.add(&[(0, 1, true)], 1).expect("room");
    driver.add(&[(8, 1, true)], 2).expect("room");
    driver.notify();
    let chain = driver.model.take(0).expect("a chain");
    driver.model.put(0, chain.id, 1);
    driver.model.put(0, chain.id, 1);
    driver.model.publish(0);
    assert_eq!(driver.queue.take(), Ok(Some(Used { tag: 1, len: 1 })));
    assert_eq!(driver.queue.take(), Err(Broken));
    driver.model.pretend(0, 5);
    assert_eq!((driver.queue.waiting(), driver.queue.arm(1)), (Err(Broken), Err(Broken)));
}

#[test]
fn after_a_reset_the_device_holds_nothing() {
    let mut driver = driver(0, 8);
    driver.add(&[(0, 1, true)], 1).expect("room");
    driver.notify();
    reset(&mut driver.model);
    assert!(!driver.model.is_running() && driver.model.take(0).is_none());
}
