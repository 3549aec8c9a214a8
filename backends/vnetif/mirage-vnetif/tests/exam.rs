//! The exam of network devices, taken by every device here.

#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a test program has std")]

use std::cell::RefCell;

use mirage_clock::Instant;
use mirage_net::testing::{examine_disconnected, examine_keeping, examine_pair};
use mirage_net::{Capabilities, ChecksumOffload, FrameId, SegmentationOffload};
use mirage_vnetif::{Cable, Network, NodeConfig, cable};

#[test]
fn a_cable_passes_whatever_its_length() {
    for slots in [4, 8, 64] {
        let (mut here, mut there) = cable(1500, slots);
        examine_pair(&mut here, &mut there, || ());
        assert_eq!(examine_keeping(&mut here, &mut there, || ()), [FrameId::COUNT; 2]);
        drop(here);
        examine_disconnected(&mut there);
    }
}

#[test]
fn a_cable_with_offloads_passes() {
    let offload = Capabilities {
        checksum: ChecksumOffload::all(),
        segmentation: SegmentationOffload::all(),
        max_large_frame: 65_549,
    };
    let (mut here, mut there) = Cable::new(1500, 8).with_capabilities(offload).with_verified().connect();
    examine_pair(&mut here, &mut there, || ());
    assert_eq!(examine_keeping(&mut here, &mut there, || ()), [FrameId::COUNT; 2]);
}

#[test]
fn a_cable_keeps_frames_however_short_it_is_and_whatever_its_mtu() {
    for (mtu, slots) in [(576, 1), (1500, 1), (9000, 2), (1500, 512)] {
        let (mut here, mut there) = cable(mtu, slots);
        assert_eq!(examine_keeping(&mut here, &mut there, || ()), [FrameId::COUNT; 2], "{mtu} {slots}");
    }
}

#[test]
fn two_nodes_of_a_network_pass() {
    let network = RefCell::new(Network::new(1));
    let mut here = network.borrow_mut().node(NodeConfig::default());
    let mut there = network.borrow_mut().node(NodeConfig::default());
    let settle = || network.borrow_mut().advance_to(Instant::ZERO);
    examine_pair(&mut here, &mut there, settle);
    assert_eq!(examine_keeping(&mut here, &mut there, settle), [FrameId::COUNT; 2]);
    drop(network);
    examine_disconnected(&mut here);
}
