//! The exam for every device, with and without each feature.

#![allow(clippy::std_instead_of_core, reason = "std is there")]

mod world;

use mirage_net::testing::{examine_disconnected, examine_keeping, examine_pair};
use mirage_net_virtio::Options;
use mirage_virtqueue::{ANY_LAYOUT, EVENT_INDEX, VERSION_1};
use world::{ALL, CSUM, GUEST_CSUM, GUEST_TSO, HOST_TSO, MAC, MRG_RXBUF, STATUS, World, model, next, nic};

fn examine(features: [u64; 2], options: Options) {
    let models = [model(features[0], 1), model(features[1], 2)];
    let [mut a, mut b] = models.each_ref().map(|model| nic(model, options));
    let mut world = World::new(&models[0], &models[1]);
    examine_pair(&mut a, &mut b, || world.settle());
    assert_eq!(examine_keeping(&mut a, &mut b, || world.settle()), [0, 0], "frames are copied");
}

#[test]
fn devices_with_everything_pass_the_exam() {
    examine([ALL, ALL], Options::default());
}

#[test]
fn devices_pass_the_exam_without_each_feature() {
    for without in [CSUM | HOST_TSO, HOST_TSO, GUEST_CSUM, GUEST_TSO, MRG_RXBUF, STATUS, EVENT_INDEX] {
        examine([ALL & !without, ALL], Options::default());
        examine([ALL & !without, ALL & !without], Options::default());
    }
}

#[test]
fn devices_from_before_version_1_pass_the_exam() {
    for features in [MAC, MAC | ANY_LAYOUT, MAC | MRG_RXBUF, MAC | EVENT_INDEX, ALL & !VERSION_1] {
        examine([features, features], Options::default());
    }
}

#[test]
fn devices_with_little_memory_pass_the_exam() {
    for (receive_bytes, transmit_bytes) in [(16 * 1024, 4 * 1024), (32 * 1024, 8 * 1024), (128 * 1024, 4 * 1024)] {
        let options = Options { receive_bytes, transmit_bytes, ..Options::default() };
        examine([ALL, ALL & !MRG_RXBUF], options);
        examine([MAC, MAC], options);
    }
}

#[test]
fn devices_without_offloads_pass_the_exam() {
    examine([ALL, ALL], Options { offloads: false, ..Options::default() });
}

#[test]
fn a_device_that_failed_is_gone_for_good() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options::default());
    assert!(next(&mut nic).is_pending(), "somebody waits");
    model.fail();
    examine_disconnected(&mut nic);
    assert!(!model.is_running(), "what failed is reset");
}
