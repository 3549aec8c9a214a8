//! Devices that lie: counted or given up, never believed.

#![allow(clippy::std_instead_of_core, reason = "std is there")]

mod world;

use std::task::{Context, Poll, Waker};

use mirage_net::testing::{Wakes, examine_disconnected};
use mirage_net::{Disconnected, Link, MacAddress, Net, Outgoing, Receive, SendError, Transmit};
use mirage_net_virtio::{Error, Options};
use mirage_virtqueue::VERSION_1;
use mirage_virtqueue::testing::Model;
use virtio_drivers::transport::DeviceType;
use world::{ALL, MAC, MRG_RXBUF, RX, STATUS, TX, TestNic, model, next, nic, receive, sent, try_nic};

/// Gives one buffer back with these first bytes and the word that `len` were written.
fn lie(model: &Model, bytes: &[u8], len: u32) {
    let chain = model.take(RX).expect("a buffer");
    chain.write(bytes);
    model.put(RX, chain.id, len);
    model.publish(RX);
}

fn poll(nic: &mut TestNic) -> Poll<Result<(), Disconnected>> {
    nic.split().0.poll_frame(&mut Context::from_waker(Waker::noop()), |_| ())
}

#[test]
fn frames_that_cannot_be_are_dropped_and_counted() {
    for features in [ALL, ALL & !MRG_RXBUF, MAC] {
        let model = model(features, 1);
        let mut nic = nic(&model, Options::default());
        let merges = features & MRG_RXBUF != 0;
        let one = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
        // Longer than the buffer, shorter than its header, nothing at all.
        for len in [1_537, 2_000, 100_000, u32::MAX, 1, 9, 10 * u32::from(features == MAC), 12, 0] {
            let before = nic.stats().rx_dropped;
            lie(&model, &one, len);
            if features == MAC && len == 12 {
                assert_eq!(next(&mut nic).map(|bytes| bytes.len()), Poll::Ready(2));
                continue;
            }
            assert_eq!(next(&mut nic), Poll::Pending, "{len} bytes, {features:#x}");
            assert_eq!(nic.stats().rx_dropped, before + 1, "{len} bytes, {features:#x}");
        }
        if merges {
            let before = nic.stats().rx_dropped;
            lie(&model, &[0; 12], 72);
            assert_eq!(next(&mut nic), Poll::Pending, "a frame in no buffers");
            assert_eq!(nic.stats().rx_dropped, before + 1);
        }
        for _ in 0..500 {
            assert!(receive(&model, &[0; 10], &[1; 60]), "every buffer came back to the device");
            assert_eq!(next(&mut nic), Poll::Ready(vec![1; 60]));
        }
    }
}

#[test]
fn a_frame_longer_than_any_is_dropped_and_its_buffers_go_back() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options::default());
    for _ in 0..20 {
        // Once in one run, then around the end of the memory.
        assert!(receive(&model, &[0; 10], &vec![1; 100_000]));
        assert_eq!(next(&mut nic), Poll::Pending);
    }
    assert_eq!(nic.stats().rx_dropped, 20);
    assert!(receive(&model, &[0; 10], &[1; 60]));
    assert_eq!(next(&mut nic), Poll::Ready(vec![1; 60]));
}

#[test]
fn a_frame_in_more_buffers_than_there_are_is_the_end() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options::default());
    lie(&model, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 72);
    assert_eq!(poll(&mut nic), Poll::Ready(Err(Disconnected)));
    examine_disconnected(&mut nic);
    assert!(!model.is_running(), "a device that lies is reset");
}

#[test]
fn a_buffer_that_was_never_given_is_the_end() {
    for queue in [RX, TX] {
        let model = model(ALL, 1);
        let mut nic = nic(&model, Options::default());
        model.put(queue, 300, 60);
        model.publish(queue);
        if queue == TX {
            let (_, transmit) = nic.split();
            let refused = (0..10_000).find_map(|_| transmit.send(Outgoing::new(60), |frame| frame.put(&[1; 60])).err());
            assert_eq!(refused, Some(SendError::Disconnected));
        }
        examine_disconnected(&mut nic);
        assert!(!model.is_running());
    }
}

#[test]
fn an_index_that_runs_ahead_is_the_end() {
    for queue in [RX, TX] {
        let model = model(ALL, 1);
        let mut nic = nic(&model, Options::default());
        model.pretend(queue, 1_000);
        if queue == TX {
            let (_, transmit) = nic.split();
            while transmit.send(Outgoing::new(60), |frame| frame.put(&[1; 60])).is_ok() {}
        }
        examine_disconnected(&mut nic);
    }
}

/// The waker of this device's driver makes the next nonsense, so there is always more.
#[test]
fn nonsense_without_end_does_not_keep_us_for_ever() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options::default());
    let mut polls = 0;
    while nic.stats().rx_dropped < 10_000 {
        while let Some(chain) = model.take(RX) {
            model.put(RX, chain.id, 3);
        }
        model.publish(RX);
        let before = nic.stats().rx_dropped;
        assert_eq!(poll(&mut nic), Poll::Pending);
        assert!(nic.stats().rx_dropped - before <= 2 * 256);
        polls += 1;
    }
    assert!(polls > 10);
}

#[test]
fn a_full_device_wakes_who_waits_also_for_a_large_frame() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options { transmit_bytes: 32 * 1024, ..Options::default() });
    let (receive, transmit) = nic.split();
    let (sender, receiver) = (Wakes::new(), Wakes::new());
    while transmit.send(Outgoing::new(1_514), |frame| frame.put(&[1; 1_514])).is_ok() {}
    assert!(transmit.poll_ready(&mut Context::from_waker(sender.waker())).is_pending());
    // Another task waits for frames: it does not take the sender's place.
    assert!(receive.poll_frame(&mut Context::from_waker(receiver.waker()), |_| ()).is_pending());
    let mut left = 0;
    while sender.count() == 0 {
        assert!(sent(&model).is_some(), "who waits must be woken before all is gone");
        left += 1;
    }
    assert!(transmit.poll_ready(&mut Context::from_waker(sender.waker())).is_ready(), "after {left} frames");
    assert_eq!(transmit.send(Outgoing::new(1_514), |frame| frame.put(&[2; 1_514])), Ok(()));
}

#[test]
fn the_link_is_told_and_who_waits_hears_of_it() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options::default());
    assert_eq!(nic.split().1.link(), Link::Up);
    let wakes = Wakes::new();
    for (status, link) in [(0, Link::Down), (1, Link::Up)] {
        assert!(nic.split().0.poll_frame(&mut Context::from_waker(wakes.waker()), |_| ()).is_pending());
        let before = wakes.count();
        model.configure(|config| config[6] = status);
        assert_eq!(wakes.count(), before + 1);
        assert_eq!(poll(&mut nic), Poll::Pending);
        assert_eq!(nic.split().1.link(), link);
    }
    let silent = world::model(ALL & !STATUS, 1);
    silent.configure(|config| config[6] = 0);
    assert_eq!(world::nic(&silent, Options::default()).split().1.link(), Link::Up, "who says nothing is up");
}

#[test]
fn a_device_is_reset_before_its_memory_goes_away() {
    let models = [model(ALL, 1), model(ALL, 2)];
    let [mut a, mut b] = models.each_ref().map(|model| nic(model, Options::default()));
    // Even where somebody swapped halves: each resets the device that knows its memory.
    std::mem::swap(a.split().0, b.split().0);
    drop(a);
    assert!(models.iter().all(|model| !model.is_running()));
    examine_disconnected(&mut b);
    drop(b);
}

#[test]
fn what_cannot_be_used_is_refused_and_reset() {
    let options = Options::default();
    let other = Model::new(DeviceType::Block, VERSION_1, &[256], &[]);
    assert_eq!(try_nic(&other, options).err(), Some(Error::NotANetworkDevice));
    let nameless = model(ALL & !MAC, 1);
    assert_eq!(try_nic(&nameless, options).err(), Some(Error::NoAddress));
    let mac = MacAddress::local([1, 2, 3, 4, 5, 6]);
    let mut named = nic(&nameless, Options { mac: Some(mac), ..options });
    assert_eq!(named.split().1.mac(), mac);
    let odd = model(ALL, 1);
    odd.configure(|config| config[0] = 0xff);
    assert_eq!(try_nic(&odd, options).err(), Some(Error::NoAddress), "an address of a group");
    assert_eq!(try_nic(&model(ALL, 1).refusing(), options).err(), Some(Error::Refused));
    let queueless = Model::new(DeviceType::Network, ALL, &[256, 0], &[2, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0xdc, 5]);
    assert_eq!(try_nic(&queueless, options).err(), Some(Error::Refused));
    assert_eq!(queueless.resets(), 2, "before and after");
    let little = Options { receive_bytes: 2_000, ..options };
    assert_eq!(try_nic(&model(ALL, 1), little).err(), Some(Error::TooLittleMemory));
    // A configuration space that ends early, queues of one.
    let bare = Model::new(DeviceType::Network, ALL, &[1, 1], &[]);
    assert_eq!(try_nic(&bare, options).err(), Some(Error::NoAddress));
    let mut bare = nic(&bare, Options { mac: Some(mac), ..options });
    assert_eq!((bare.split().1.mtu(), poll(&mut bare)), (1_500, Poll::Pending));
}
