//! What is recorded can be read again.

#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a test program has std")]

mod common;

use std::{env, fs, panic};

use common::{frame, send};
use mirage_clock::Instant;
use mirage_net::{MacAddress, Net, Outgoing, Transmit};
use mirage_vnetif::{Network, NodeConfig, Recorder, cable};

fn word(file: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap())
}

#[test]
fn the_file_is_a_classic_pcap_with_nanoseconds() {
    let recorder = Recorder::new(1000);
    recorder.record(Instant::from_nanos(3_000_000_007), b"abcde");
    let mut file = Vec::new();
    recorder.write_pcap(&mut file).unwrap();
    // pcap-savefile(5): magic, version 2.4, zone, accuracy, snapshot length, link type; then seconds, nanoseconds,
    // captured length, length, bytes.
    assert_eq!([word(&file, 0), word(&file, 4), word(&file, 20)], [0xa1b2_3c4d, 0x0004_0002, 1]);
    assert_eq!([word(&file, 24), word(&file, 28), word(&file, 32), word(&file, 36)], [3, 7, 5, 5]);
    assert_eq!(&file[40..], b"abcde");
}

#[test]
fn the_oldest_frames_make_room_for_the_newest() {
    let recorder = Recorder::new(100);
    for n in 0..5 {
        recorder.record(Instant::from_secs(n), &[n as u8; 40]);
    }
    let mut kept = Vec::new();
    recorder.for_each(|at, bytes| kept.push((at, bytes[0])));
    assert_eq!(kept, [(Instant::from_secs(3), 3), (Instant::from_secs(4), 4)]);
    assert_eq!((recorder.len(), recorder.forgotten()), (2, 3));
    recorder.record(Instant::ZERO, &[0; 101]);
    assert!(recorder.is_empty(), "a frame beyond the limit is not kept either");
}

#[test]
fn the_switch_records_what_reaches_it() {
    let mut network = Network::new(1);
    let mut node = network.node(NodeConfig::default());
    let recorder = Recorder::new(1000);
    network.record(&recorder);
    let bytes = frame(MacAddress::BROADCAST, node.split().1.mac(), 60);
    network.advance_to(Instant::from_secs(2));
    send(&mut node, &bytes).unwrap();
    assert!(recorder.is_empty());
    network.advance_to(Instant::from_secs(2));
    let mut kept = Vec::new();
    recorder.for_each(|at, frame| kept.push((at, frame.to_vec())));
    assert_eq!(kept, [(Instant::from_secs(2), bytes)]);
}

#[test]
fn a_cable_records_what_an_end_sends() {
    let (mut here, _there) = cable(1500, 4);
    let recorder = Recorder::new(1000);
    here.record(&recorder, || Instant::from_secs(9));
    here.split().1.send(Outgoing::new(60), |out| out.put(b"hello")).unwrap();
    here.split().1.send(Outgoing::new(1), |out| out.put(b"too long")).unwrap_err();
    let mut kept = Vec::new();
    recorder.for_each(|at, frame| kept.push((at, frame.to_vec())));
    assert_eq!(kept, [(Instant::from_secs(9), b"hello".to_vec())]);
}

#[test]
fn a_test_that_fails_leaves_its_frames_and_one_that_passes_does_not() {
    let directory = env::temp_dir().join(format!("mirage-vnetif-{}", std::process::id()));
    let path = directory.join("failed.pcap");
    let recorder = Recorder::new(1000);
    recorder.record(Instant::ZERO, &[1; 60]);
    drop(recorder.save_on_panic_to(path.clone()));
    assert!(!path.exists());
    let crash = panic::AssertUnwindSafe(|| {
        let _guard = recorder.save_on_panic_to(path.clone());
        panic!("on purpose");
    });
    assert!(panic::catch_unwind(crash).is_err());
    assert_eq!(fs::read(&path).unwrap().len(), 24 + 16 + 60);
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_failed_test_is_found_below_the_target_directory() {
    let mut network = Network::new(1);
    let guard = network.record_on_panic("a_test");
    assert!(guard.path().ends_with("pcap/a_test.pcap"), "{}", guard.path().display());
    assert!(guard.path().ancestors().nth(2).unwrap().join("CACHEDIR.TAG").exists());
}
